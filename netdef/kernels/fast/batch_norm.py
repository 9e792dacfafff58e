"""Rows brought to mean 0 and variance 1, row by row in cache."""

from __future__ import annotations

import numpy as np

from netdef.kernels.batch_norm import Array, Normalizer
from netdef.kernels.fast.jit import compiled, inlined, inlined_summing, same, summing

_SHORTEST = 64
"""Values of a row from which on a compiled loop over it pays."""


def choose_fast(values: int) -> type[Normalizer]:
    """What computes rows of so many values; NumPy's where there is nothing to win."""
    return FastNormalizer if values >= _SHORTEST else Normalizer


class FastNormalizer(Normalizer):
    """As `Normalizer`, each formula in one loop."""

    @classmethod
    def scratch_size(cls, channels: int, values: int) -> int:
        """Nothing is kept in between."""
        del channels, values
        return 0

    def forward(self, x: Array, y: Array, moments: Array, inverse: Array, eps: float) -> None:
        """Normalise by the statistics of x itself."""
        if self.values:
            _forward(x, y, moments, inverse, x.dtype.type(eps))

    def moments(self, x: Array, moments: Array) -> None:
        """Write means and sums of squares of differences from them."""
        if self.values:
            _moments(x, moments)

    def normalize(self, x: Array, y: Array, mean: Array, inverse: Array) -> None:
        """Write y = (x - mean) * inverse."""
        if self.values:
            _normalize(x, y, mean, inverse)

    def backward(
        self, y: Array, dy: Array, dx: Array, sums: Array, inverse: Array, *, add: bool
    ) -> None:
        """The gradient of `forward`."""
        if self.values:
            _backward(y, dy, dx, sums, inverse, add)

    def sums(self, y: Array, dy: Array, sums: Array) -> None:
        """Write the sums of dy and of dy * y."""
        if self.values:
            _sums(y, dy, sums)

    def gradient(
        self, y: Array, dy: Array, dx: Array, means: Array, inverse: Array, *, add: bool
    ) -> None:
        """As `backward`, with the means of dy and of dy * y given."""
        if self.values:
            _gradient(y, dy, dx, means, inverse, add)

    def scale(self, dy: Array, dx: Array, factor: Array, *, add: bool) -> None:
        """Write dx = dy * factor."""
        if self.values:
            _scale(dy, dx, factor, add)


@inlined_summing
def _row_moments(x: Array) -> tuple[float, float]:
    total = x.dtype.type(0)
    for n in range(x.size):
        total += x[n]
    mean = total / x.dtype.type(x.size)
    square = x.dtype.type(0)
    for n in range(x.size):
        apart = x[n] - mean
        square += apart * apart
    return mean, square


@inlined
def _shift(x: Array, y: Array, mean: float, factor: float) -> None:
    if same(x, y):
        for n in range(y.size):
            y[n] = (y[n] - mean) * factor
    else:
        for n in range(y.size):
            y[n] = (x[n] - mean) * factor


@summing
def _moments(x: Array, moments: Array) -> None:
    for c in range(x.shape[0]):
        moments[0, c], moments[1, c] = _row_moments(x[c])


@compiled
def _forward(x: Array, y: Array, moments: Array, inverse: Array, eps: float) -> None:
    one, count = x.dtype.type(1), x.dtype.type(x.shape[1])
    for c in range(x.shape[0]):
        xs, ys = x[c], y[c]
        mean, square = _row_moments(xs)
        factor = one / np.sqrt(square / count + eps)
        moments[0, c], moments[1, c], inverse[c] = mean, square, factor
        _shift(xs, ys, mean, factor)


@compiled
def _normalize(x: Array, y: Array, mean: Array, inverse: Array) -> None:
    for c in range(x.shape[0]):
        _shift(x[c], y[c], mean[c], inverse[c])


@inlined_summing
def _row_sums(y: Array, dy: Array) -> tuple[float, float]:
    plain = weighted = dy.dtype.type(0)
    for n in range(dy.size):
        plain += dy[n]
        weighted += dy[n] * y[n]
    return plain, weighted


@summing
def _sums(y: Array, dy: Array, sums: Array) -> None:
    for c in range(dy.shape[0]):
        sums[0, c], sums[1, c] = _row_sums(y[c], dy[c])


@inlined
def _write(
    y: Array, dy: Array, dx: Array, plain: float, weighted: float, factor: float, add: bool
) -> None:
    if add:
        for n in range(dy.size):
            dx[n] += (dy[n] - plain - y[n] * weighted) * factor
    elif same(dx, dy):
        for n in range(dx.size):
            dx[n] = (dx[n] - plain - y[n] * weighted) * factor
    else:
        for n in range(dy.size):
            dx[n] = (dy[n] - plain - y[n] * weighted) * factor


@compiled
def _backward(y: Array, dy: Array, dx: Array, sums: Array, inverse: Array, add: bool) -> None:
    count = dy.dtype.type(dy.shape[1])
    for c in range(dy.shape[0]):
        plain, weighted = _row_sums(y[c], dy[c])
        sums[0, c], sums[1, c] = plain, weighted
        _write(y[c], dy[c], dx[c], plain / count, weighted / count, inverse[c], add)


@compiled
def _gradient(y: Array, dy: Array, dx: Array, means: Array, inverse: Array, add: bool) -> None:
    for c in range(dy.shape[0]):
        _write(y[c], dy[c], dx[c], means[0, c], means[1, c], inverse[c], add)


@compiled
def _scale(dy: Array, dx: Array, factor: Array, add: bool) -> None:
    for c in range(dy.shape[0]):
        ds, xs, times = dy[c], dx[c], factor[c]
        if add:
            for n in range(ds.size):
                xs[n] += ds[n] * times
        elif same(xs, ds):
            for n in range(xs.size):
                xs[n] *= times
        else:
            for n in range(ds.size):
                xs[n] = ds[n] * times
