"""Rows brought to mean 0 and variance 1, and the gradient of that, block by block in cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.kernels.blocks import BLOCK

Array = NDArray[Any]


class Normalizer:
    """The work of one shard on arrays of (channels, values).

    Args:
        channels: rows.
        values: of a row.
        dtype: of all arrays.
        scratch: `scratch_size` values; not needed to normalise by given statistics.

    Example:
        >>> x, y = np.array([[1.0, 3.0]]), np.empty((1, 2))
        >>> Normalizer(1, 2, np.float64).normalize(x, y, np.array([2.0]), np.array([1.0]))
        >>> y
        array([[-1.,  1.]])
    """

    def __init__(
        self, channels: int, values: int, dtype: DTypeLike, scratch: Array | None = None
    ) -> None:
        self.channels, self.values = channels, values
        self._ones = np.ones(values, dtype)
        self._scratch = np.empty(0, dtype) if scratch is None else scratch
        step = _rows(values)
        starts = range(0, channels, step) if values else ()
        self._blocks = [slice(c, min(channels, c + step)) for c in starts]

    @classmethod
    def scratch_size(cls, channels: int, values: int) -> int:
        """Values of scratch."""
        return min(channels, _rows(values)) * values

    def forward(self, x: Array, y: Array, moments: Array, inverse: Array, eps: float) -> None:
        """Normalise by the statistics of x itself.

        Args:
            x: to read.
            y: to write; may be x.
            moments: (2, channels), means and sums of squares of differences; written.
            inverse: 1 / sqrt(variance + eps); written.
            eps: added to the variance.
        """
        for rows in self._blocks:
            self._take(x[rows], y[rows], moments[:, rows])
            np.divide(moments[1, rows], self.values, out=inverse[rows])
            invert(inverse[rows], eps)
            np.multiply(y[rows], inverse[rows, None], out=y[rows])

    def moments(self, x: Array, moments: Array) -> None:
        """Write means and sums of squares of differences from them, (2, channels)."""
        for rows in self._blocks:
            self._take(x[rows], self._part(x[rows]), moments[:, rows])

    def normalize(self, x: Array, y: Array, mean: Array, inverse: Array) -> None:
        """Write y = (x - mean) * inverse; y may be x."""
        for rows in self._blocks:
            np.subtract(x[rows], mean[rows, None], out=y[rows])
            np.multiply(y[rows], inverse[rows, None], out=y[rows])

    def backward(
        self, y: Array, dy: Array, dx: Array, sums: Array, inverse: Array, *, add: bool
    ) -> None:
        """The gradient of `forward`: dx = (dy - mean(dy) - y * mean(dy * y)) * inverse.

        Args:
            y: what forward wrote.
            dy: gradient by it.
            dx: gradient by x, set or added to; may be dy.
            sums: (2, channels), scratch.
            inverse: as forward wrote it.
            add: to what dx holds.
        """
        for rows in self._blocks:
            self._sum(y[rows], dy[rows], sums[:, rows])
            means = sums[:, rows] / self.values
            self._write(y[rows], dy[rows], dx[rows], means, inverse[rows], add=add)

    def sums(self, y: Array, dy: Array, sums: Array) -> None:
        """Write the sums of dy and of dy * y, (2, channels)."""
        for rows in self._blocks:
            self._sum(y[rows], dy[rows], sums[:, rows])

    def gradient(
        self, y: Array, dy: Array, dx: Array, means: Array, inverse: Array, *, add: bool
    ) -> None:
        """As `backward`, with the means of dy and of dy * y given."""
        for rows in self._blocks:
            self._write(y[rows], dy[rows], dx[rows], means[:, rows], inverse[rows], add=add)

    def scale(self, dy: Array, dx: Array, factor: Array, *, add: bool) -> None:
        """Write dx = dy * factor, a factor for each row."""
        for rows in self._blocks:
            _multiply(dy[rows], factor[rows, None], dx[rows], self._part(dy[rows]), add=add)

    def _take(self, x: Array, apart: Array, moments: Array) -> None:
        """Moments of a block, and its differences from the means."""
        mean, square = moments
        np.matmul(x, self._ones, out=mean)
        np.divide(mean, self.values, out=mean)
        # squares of differences from the mean: differences of squares would lose digits
        np.subtract(x, mean[:, None], out=apart)
        np.vecdot(apart, apart, out=square)

    def _sum(self, y: Array, dy: Array, sums: Array) -> None:
        np.matmul(dy, self._ones, out=sums[0])
        np.vecdot(dy, y, out=sums[1])

    def _write(
        self, y: Array, dy: Array, dx: Array, means: Array, inverse: Array, *, add: bool
    ) -> None:
        work = self._part(dy)
        np.multiply(y, means[1, :, None], out=work)
        np.subtract(dy, work, out=work)
        np.subtract(work, means[0, :, None], out=work)
        _multiply(work, inverse[:, None], dx, work, add=add)

    def _part(self, like: Array) -> Array:
        return self._scratch[: like.size].reshape(like.shape)


def invert(variance: Array, eps: float) -> None:
    """Make it 1 / sqrt(variance + eps)."""
    np.add(variance, eps, out=variance)
    np.sqrt(variance, out=variance)
    np.reciprocal(variance, out=variance)


def _multiply(dy: Array, factor: Array, dx: Array, work: Array, *, add: bool) -> None:
    if add:
        np.multiply(dy, factor, out=work)
        np.add(dx, work, out=dx)
    else:
        np.multiply(dy, factor, out=dx)


def _rows(values: int) -> int:
    """Rows of a block: two arrays of it stay in cache."""
    return max(1, BLOCK // max(1, values))
