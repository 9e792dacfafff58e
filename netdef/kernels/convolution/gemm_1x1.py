"""Convolution as one matrix product, where the input already is the matrix of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import (
    Algorithm,
    Array,
    Finish,
    Scratch,
    add_row_sums,
    finish_groups,
)
from netdef.kernels.matrix import as_rows

_BLOCK = 1 << 19
"""Values of one block of columns: 2 MB of float32 stay in a core's cache."""

_NARROW = 256
"""Columns below which packing the weights again for each block costs more than cache misses."""


class Gemm1x1(Algorithm):
    """CHWN; 1×1 kernels at stride 1, or a kernel as large as the input."""

    name = "gemm"

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """Columns to add from, sums of rows, and weights to add from."""
        g = self.geometry
        needs: dict[str, tuple[int, ...]] = {}
        if dx:
            needs["columns"] = (g.group * g.fan_in * self._width(),)
        if dw:
            needs["dw"] = (g.group, g.outputs // g.group, g.fan_in)
            needs["db"] = (g.outputs,)
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        self._scratch = scratch
        self._ones = np.ones(self._columns(), dtype)

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Y = W @ X + b."""
        g = self.geometry
        weights, columns, ys = self._weights(w), as_rows(x, g.group, g.fan_in), self._outputs(y)
        if b is None and finish is None:
            np.matmul(weights, columns, out=ys)
            return
        biases = None if b is None else b.reshape(g.group, -1, 1)
        for begin, end in self._blocks():  # the bias finds its block in cache
            part = ys[:, :, begin:end]
            np.matmul(weights, columns[:, :, begin:end], out=part)
            if biases is not None:
                np.add(part, biases, out=part)
            finish_groups(part, finish)

    def backward(
        self,
        x: Array,
        w: Array,
        dy: Array,
        dx: Array | None,
        dw: Array | None,
        db: Array | None,
        *,
        add_dx: bool = False,
        add_params: bool = False,
    ) -> None:
        """Write dW = dY @ X^T and dX = W^T @ dY."""
        g = self.geometry
        dys = self._outputs(dy)
        if dw is not None:
            columns = as_rows(x, g.group, g.fan_in).transpose(0, 2, 1)
            target = self._weights(dw)
            np.matmul(dys, columns, out=self._scratch["dw"] if add_params else target)
            if add_params:
                np.add(target, self._scratch["dw"], out=target)
        if db is not None:
            rows = as_rows(dy, g.outputs)
            sums = self._scratch.get("db", db)
            add_row_sums(rows, self._ones, sums, db, add=add_params)
        if dx is not None:
            turned, target = self._weights(w).transpose(0, 2, 1), as_rows(dx, g.group, g.fan_in)
            if not add_dx:
                np.matmul(turned, dys, out=target)
                return
            for begin, end in self._blocks():
                some = self._scratch["columns"][: g.group * g.fan_in * (end - begin)]
                some = some.reshape(g.group, g.fan_in, end - begin)
                np.matmul(turned, dys[:, :, begin:end], out=some)
                part = target[:, :, begin:end]
                np.add(part, some, out=part)

    def _weights(self, w: Array) -> Array:
        g = self.geometry
        return w.reshape(g.group, g.outputs // g.group, g.fan_in)

    def _outputs(self, y: Array) -> Array:
        g = self.geometry
        return as_rows(y, g.group, g.outputs // g.group)

    def _columns(self) -> int:
        return prod(self.geometry.out) * self.geometry.batch

    def _width(self) -> int:
        g = self.geometry
        widest = max(g.group * g.fan_in, g.outputs)
        return min(self._columns(), max(_NARROW, _BLOCK // widest))

    def _blocks(self) -> Iterator[tuple[int, int]]:
        for begin in range(0, self._columns(), self._width()):
            yield begin, min(self._columns(), begin + self._width())
