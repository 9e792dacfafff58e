"""Size and spread of many values, gathered array by array."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from netdef.layers.base import Array

_STRETCH = 1 << 16  # values that are taken to float64 at a time


@dataclass(slots=True)
class Spread:
    """What is left of all values that were taken in; those that are not finite are only counted.

    Attributes:
        count: of finite values.
        total: their sum.
        absolute: sum of their sizes.
        squares: sum of their squares.
        least: the smallest.
        most: the largest.
        broken: values that are NaN or infinite.
    """

    count: int = 0
    total: float = 0.0
    absolute: float = 0.0
    squares: float = 0.0
    least: float = inf
    most: float = -inf
    broken: int = 0

    def take(self, array: Array, scale: float = 1.0) -> None:
        """Take in the values of an array, each multiplied by `scale`."""
        flat = array.reshape(-1)
        with np.errstate(all="ignore"):  # NaN and infinity are looked for, and counted
            self._take(flat, scale)

    def _take(self, flat: Array, scale: float) -> None:
        for start in range(0, flat.size, _STRETCH):
            # float32 would lose the squares of small gradients
            part = flat[start : start + _STRETCH].astype(np.float64)
            if scale != 1:
                part *= scale
            if not np.isfinite(part.sum()):
                whole = part.size
                part = part[np.isfinite(part)]
                self.broken += whole - part.size
            if not part.size:
                continue
            self.count += part.size
            self.total += float(part.sum())
            self.absolute += float(np.abs(part).sum())
            self.squares += float(np.dot(part, part))
            self.least = min(self.least, float(part.min()))
            self.most = max(self.most, float(part.max()))

    @property
    def mean(self) -> float:
        """Mean; NaN where there are no values."""
        return self.total / self.count if self.count else nan

    @property
    def size(self) -> float:
        """Mean of the sizes, what Caffe's debug_info prints."""
        return self.absolute / self.count if self.count else nan

    @property
    def rms(self) -> float:
        """Root of the mean square."""
        return sqrt(self.squares / self.count) if self.count else nan

    @property
    def std(self) -> float:
        """Standard deviation."""
        if not self.count:
            return nan
        return sqrt(max(0.0, self.squares / self.count - self.mean**2))


def norm(array: Array) -> float:
    """L2 norm."""
    flat = array.reshape(-1)
    total = 0.0
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _STRETCH):
            part = flat[start : start + _STRETCH].astype(np.float64)
            total += float(np.dot(part, part))
    return sqrt(total)
