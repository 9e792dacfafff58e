"""The mean of each window, where padding counts in the number of values as Caffe counts it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.kernels.pooling.window import Array, Axis, Need, Pool, Window


class AveragePool(Pool):
    """Sums of rows, then of those, then one factor for each output."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._tall, self._wide = Axis(window, 0), Axis(window, 1)

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """The sums of rows; backward the scaled gradients."""
        window = self.window
        needs = {} if window.is_whole else {"rows": Need(window.rows)}
        if backward:
            needs["scaled"] = Need((window.block, *window.out, window.batch))
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take these arrays, and count the values of each window."""
        self._scratch = scratch
        with np.errstate(divide="ignore"):
            # a window that lies off the input has no values, and no mean
            factors = 1 / (_counts(self.window, 0)[:, None] * _counts(self.window, 1))
        if np.all(factors == factors[0, 0]):
            self._factors: Array = np.asarray(factors[0, 0], dtype)
        else:
            # one for each value: broadcasting along the innermost axis is slower
            self._factors = np.repeat(factors[:, :, None], self.window.batch, 2).astype(dtype)

    def forward(self, x: Array, y: Array) -> None:
        """Sum, then divide."""
        for some in self.window.blocks():
            if self.window.is_whole:
                np.add.reduce(x[some], axis=(1, 2), out=y[some], keepdims=True)
            else:
                rows = self._scratch["rows"][: some.stop - some.start]
                self._wide.reduce(np.add, x[some], rows, 0.0)
                self._tall.reduce(np.add, rows, y[some], 0.0)
            np.multiply(y[some], self._factors, out=y[some])

    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Divide, then give every value of a window the same."""
        del x, y
        for some in self.window.blocks():
            count = some.stop - some.start
            scaled = np.multiply(dy[some], self._factors, out=self._scratch["scaled"][:count])
            if self.window.is_whole:
                part = dx[some]
                if add:
                    np.add(part, scaled, out=part)
                else:
                    np.copyto(part, scaled)
                continue
            rows = self._scratch["rows"][:count]
            self._tall.spread(scaled, rows, add=False)
            self._wide.spread(rows, dx[some], add=add)


def _counts(window: Window, axis: int) -> NDArray[np.float64]:
    """Values of each window along an axis: padding counts, what lies beyond it does not."""
    pad, size = window.pad[axis], window.size[axis]
    start = np.arange(window.out[axis]) * window.stride[axis] - pad
    return (np.minimum(start + window.kernel[axis], size + pad) - start).astype(np.float64)
