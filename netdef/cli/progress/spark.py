"""A curve in one line of text."""

from __future__ import annotations

from math import isfinite, log

_BARS = "▁▂▃▄▅▆▇█"
_MOST = 240
_WIDE = 20  # how many times the least the greatest must be for a logarithmic scale


class Spark:
    """Values as they come, and their curve; of a long run every n-th value is kept."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._every = 1
        self._count = 0

    def add(self, value: float) -> None:
        """Take in the next value."""
        if self._count % self._every == 0:
            self._values.append(value)
            if len(self._values) == _MOST:
                self._values = self._values[::2]
                self._every *= 2
        self._count += 1

    def text(self, cells: int = 24) -> str:
        """The curve, each cell the mean of the values in it; `·` where none is finite."""
        count = len(self._values)
        cells = min(cells, count)
        means = []
        for cell in range(cells):
            part = self._values[cell * count // cells : (cell + 1) * count // cells]
            finite = [value for value in part if isfinite(value)]
            means.append(sum(finite) / len(finite) if finite else None)
        known = [mean for mean in means if mean is not None]
        if known and min(known) > 0 and max(known) > _WIDE * min(known):
            means = [None if mean is None else log(mean) for mean in means]
            known = [mean for mean in means if mean is not None]
        low, high = min(known, default=0.0), max(known, default=0.0)
        step = (high - low) / (len(_BARS) - 1) or 1.0
        return "".join("·" if m is None else _BARS[round((m - low) / step)] for m in means)
