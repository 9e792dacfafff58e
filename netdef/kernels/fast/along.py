"""A factor and an offset for each channel, forward and backward, row by row in cache."""

from __future__ import annotations

from netdef.kernels.along import Along, Array, Shape3
from netdef.kernels.fast.jit import compiled, inlined_summing, same

_SHORTEST = 128
"""Values of a row from which on a compiled loop over it pays."""


def choose_fast(large: Shape3) -> type[Along]:
    """What computes with a large array seen so; NumPy's where there is nothing to win."""
    return FastAlong if large[2] >= _SHORTEST else Along


class FastAlong(Along):
    """As `Along`, with its products and sums compiled; not where images have their own."""

    def affine(self, x: Array, factor: Array, offset: Array | None, y: Array) -> None:
        """Write y = x * factor + offset for a piece."""
        if offset is None:
            _times(x, factor, y)
        else:
            _affine(x, factor, offset, y)

    def affine_back(
        self,
        x: Array,
        factor: Array,
        dy: Array,
        dfactor: Array | None,
        doffset: Array | None,
        dx: Array | None,
        scratch: Array,
        *,
        add: bool,
    ) -> None:
        """Add to the sums, and write dx = dy * factor, for a piece."""
        if dfactor is None or doffset is None:
            super().affine_back(x, factor, dy, dfactor, doffset, dx, scratch, add=add)
        elif dx is None:
            _sums(x, dy, dfactor, doffset)
        else:
            _affine_back(x, factor, dy, dfactor, doffset, dx, add)


@compiled
def _times(x: Array, factor: Array, y: Array) -> None:
    for a in range(x.shape[0]):
        for c in range(x.shape[1]):
            xs, ys, times = x[a, c], y[a, c], factor[0, c, 0]
            if same(xs, ys):
                for n in range(ys.size):
                    ys[n] *= times
            else:
                for n in range(ys.size):
                    ys[n] = xs[n] * times


@compiled
def _affine(x: Array, factor: Array, offset: Array, y: Array) -> None:
    for a in range(x.shape[0]):
        for c in range(x.shape[1]):
            xs, ys, times, plus = x[a, c], y[a, c], factor[0, c, 0], offset[0, c, 0]
            if same(xs, ys):
                for n in range(ys.size):
                    ys[n] = ys[n] * times + plus
            else:
                for n in range(ys.size):
                    ys[n] = xs[n] * times + plus


@inlined_summing
def _row_sums(x: Array, dy: Array) -> tuple[float, float]:
    weighted = plain = x.dtype.type(0)
    for n in range(x.size):
        weighted += dy[n] * x[n]
        plain += dy[n]
    return weighted, plain


@compiled
def _sums(x: Array, dy: Array, dfactor: Array, doffset: Array) -> None:
    for a in range(x.shape[0]):
        for c in range(x.shape[1]):
            weighted, plain = _row_sums(x[a, c], dy[a, c])
            dfactor[0, c, 0] += weighted
            doffset[0, c, 0] += plain


@compiled
def _affine_back(
    x: Array, factor: Array, dy: Array, dfactor: Array, doffset: Array, dx: Array, add: bool
) -> None:
    for a in range(x.shape[0]):
        for c in range(x.shape[1]):
            ds, out, times = dy[a, c], dx[a, c], factor[0, c, 0]
            weighted, plain = _row_sums(x[a, c], ds)
            dfactor[0, c, 0] += weighted
            doffset[0, c, 0] += plain
            if add:
                for n in range(ds.size):
                    out[n] += ds[n] * times
            elif same(out, ds):
                for n in range(out.size):
                    out[n] *= times
            else:
                for n in range(ds.size):
                    out[n] = ds[n] * times
