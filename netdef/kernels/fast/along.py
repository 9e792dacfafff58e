"""A factor and an offset for each channel, forward and backward, in one pass over memory."""

from __future__ import annotations

from netdef.kernels.along import Along, Array
from netdef.kernels.fast.jit import same, summing


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


@summing
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


@summing
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


@summing
def _sums(x: Array, dy: Array, dfactor: Array, doffset: Array) -> None:
    for a in range(x.shape[0]):
        for c in range(x.shape[1]):
            xs, ds = x[a, c], dy[a, c]
            weighted = plain = x.dtype.type(0)
            for n in range(xs.size):
                weighted += ds[n] * xs[n]
                plain += ds[n]
            dfactor[0, c, 0] += weighted
            doffset[0, c, 0] += plain


@summing
def _affine_back(
    x: Array, factor: Array, dy: Array, dfactor: Array, doffset: Array, dx: Array, add: bool
) -> None:
    for a in range(x.shape[0]):
        for c in range(x.shape[1]):
            xs, ds, out, times = x[a, c], dy[a, c], dx[a, c], factor[0, c, 0]
            weighted = plain = x.dtype.type(0)
            if add:
                for n in range(xs.size):
                    weighted += ds[n] * xs[n]
                    plain += ds[n]
                    out[n] += ds[n] * times
            elif same(out, ds):
                for n in range(xs.size):
                    share = out[n]
                    weighted += share * xs[n]
                    plain += share
                    out[n] = share * times
            else:
                for n in range(xs.size):
                    share = ds[n]
                    weighted += share * xs[n]
                    plain += share
                    out[n] = share * times
            dfactor[0, c, 0] += weighted
            doffset[0, c, 0] += plain
