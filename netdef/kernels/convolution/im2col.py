"""Convolution as matrix products over blocks of columns that stay in cache.

A block is some rows of the output. With the batch innermost every copy into the columns is of
long contiguous runs, and the product's result is already the output as it should lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

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
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.windows import (
    Copies,
    Kept,
    Pair,
    axes,
    gather,
    gather_split,
    scatter,
    split,
    split_size,
)
from netdef.kernels.matrix import as_rows

_BLOCK = 1 << 19
"""Values of one block of columns: 2 MB of float32 stay in a core's cache."""

_NARROW = 1024
"""Columns below which packing the weights again for each block costs more than cache misses."""

_SHORT = 64
"""Images below which runs are so short that taking strides apart first is worth a copy."""


class Block(NamedTuple):
    """Rows of the output, and their columns within the whole."""

    top: int
    bottom: int
    begin: int
    end: int


class Gathers(NamedTuple):
    """What fills all blocks of columns: copies that take strides apart, then those of each."""

    parts: list[Pair]
    blocks: list[Copies]


class Im2col(Algorithm):
    """CHWN; any two-dimensional kernel.

    Without groups a bias is one more column of the weights, over a row of ones: a pass over the
    output, and a sum over its gradient, that nobody waits for.
    """

    name = "im2col"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self._blocks = blocks(geometry)
        self._windows = axes(geometry)
        self._splits = splits(geometry)
        self._height = geometry.fan_in + (geometry.group == 1)

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """One block of columns, which holds gradients after values; weights with their bias."""
        g = self.geometry
        widest = max(block.end - block.begin for block in self._blocks)
        needs: dict[str, tuple[int, ...]] = {"columns": (g.group * self._height * widest,)}
        if self._folds:
            needs["weights"] = (g.outputs, self._height)
        if self._splits:
            needs["apart"] = split_size(g)
        if dw:
            needs["dw"] = (g.outputs, self._height)
            needs["db"] = (g.outputs,)
        return needs

    @property
    def _folds(self) -> bool:
        """Whether a bias is a column of the weights."""
        return self._height > self.geometry.fan_in

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        self._scratch = scratch
        self._ones = np.ones(max(block.end - block.begin for block in self._blocks), dtype)
        self._gathers: Kept[Gathers] = Kept()
        self._scatters: Kept[list[list[Pair]]] = Kept()

    def held(self, *, bias: bool) -> tuple[str, ...]:
        """The weights with their bias."""
        return ("weights",) if bias and self._folds else ()

    def take_weights(self, w: Array, b: Array | None) -> None:
        """Put the bias beside the weights."""
        if b is not None and self._folds:
            self._scratch["weights"][:, :-1] = self._weights(w)[0]
            self._scratch["weights"][:, -1] = b

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Fill a block of columns, multiply, add the bias while the result is in cache."""
        g = self.geometry
        weights, ys = self._weights(w), self._outputs(y)
        fold = self._folds and b is not None
        if fold:
            if not self.holds:
                self.take_weights(w, b)
            weights = self._scratch["weights"][np.newaxis]
        gathers = self._gathers.get(x, self._gather)
        self._split(gathers)
        for block, copies in zip(self._blocks, gathers.blocks, strict=True):
            part = ys[:, :, block.begin : block.end]
            np.matmul(weights, self._fill(block, copies, ones=fold), out=part)
            if b is not None and not fold:
                np.add(part, b.reshape(g.group, -1, 1), out=part)
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
        """The columns are made again for dW, then give their memory to their gradients."""
        g = self.geometry
        dys = self._outputs(dy)
        if dw is not None:
            gathers = self._gathers.get(x, self._gather)
            self._split(gathers)
        if dx is not None:
            turned = self._weights(w).transpose(0, 2, 1)
            scatters = self._scatters.get(dx, self._scatter)
            if not add_dx:
                dx.fill(0)
        fold = self._folds and dw is not None and db is not None
        if fold:
            both = self._scratch["weights"][np.newaxis]
        for index, block in enumerate(self._blocks):
            part = dys[:, :, block.begin : block.end]
            add = index > 0 or (add_params and not fold)
            if dw is not None:
                columns = self._fill(block, gathers.blocks[index], ones=fold)
                target = both if fold else self._weights(dw)
                self._product(part, columns.transpose(0, 2, 1), target, add=add)
            if db is not None and not fold:
                rows = as_rows(dy, g.outputs)[:, block.begin : block.end]
                sums = self._scratch.get("db")
                assert sums is not None, "a bias learns where weights do"
                add_row_sums(rows, self._ones, sums, db, add=add)
            if dx is not None:
                # with one output a group this is an outer product, at which BLAS is slow
                times = np.multiply if g.outputs == g.group else np.matmul
                times(turned, part, out=self._block(block))
                for target, source in scatters[index]:
                    np.add(target, source, out=target)
        if fold:
            assert dw is not None
            assert db is not None
            give(both[0, :, :-1], self._weights(dw)[0], add=add_params)
            give(both[0, :, -1], db, add=add_params)

    def _product(self, a: Array, b: Array, target: Array, *, add: bool) -> None:
        """Write a product of matrices, or add it."""
        out = target
        if add:
            out = self._scratch["dw"].reshape(-1)[: target.size].reshape(target.shape)
        np.matmul(a, b, out=out)
        if add:
            np.add(target, out, out=target)

    def _split(self, gathers: Gathers) -> None:
        for target, source in gathers.parts:
            np.copyto(target, source)

    def _fill(self, block: Block, copies: Copies, *, ones: bool) -> Array:
        """The columns of a block as matrices, with a row of ones below them if asked."""
        copies.run()
        if not ones:
            return self._block(block)
        columns = self._block(block, self._height)
        columns[:, -1].fill(1)
        return columns

    def _block(self, block: Block, height: int | None = None) -> Array:
        """The columns of a block as matrices: (group, fan_in or height, columns)."""
        g, width = self.geometry, block.end - block.begin
        height = g.fan_in if height is None else height
        flat = self._scratch["columns"][: g.group * height * width]
        return flat.reshape(g.group, height, width)

    def _axes(self, block: Block) -> Array:
        """The columns of a block by axes: (c, kh, kw, rows, w, n)."""
        g = self.geometry
        rows = block.bottom - block.top
        return self._block(block).reshape(g.channels, *g.kernel, rows, g.out[1], g.batch)

    def _gather(self, x: Array) -> Gathers:
        parts: list[Pair] = []
        look = gather
        if self._splits:
            apart = self._scratch["apart"]
            parts, x, look = split(x, apart), apart, gather_split
        each = [look(self._windows, b[:2], x, self._axes(b)) for b in self._blocks]
        return Gathers(parts, each)

    def _scatter(self, dx: Array) -> list[list[Pair]]:
        return [scatter(self._windows, b[:2], dx, self._axes(b)) for b in self._blocks]

    def _weights(self, w: Array) -> Array:
        g = self.geometry
        return w.reshape(g.group, g.outputs // g.group, g.fan_in)

    def _outputs(self, y: Array) -> Array:
        g = self.geometry
        return as_rows(y, g.group, g.outputs // g.group)


def give(source: Array, target: Array, *, add: bool) -> None:
    """Write a gradient where it belongs, or add it."""
    if add:
        np.add(target, source, out=target)
    else:
        np.copyto(target, source)


def splits(g: Geometry) -> bool:
    """Whether strides are taken apart first: each value is met again, and runs are short."""
    again = g.kernel[0] * g.kernel[1] > g.stride[0] * g.stride[1]
    return g.stride[1] > 1 and again and g.batch < _SHORT


def blocks(g: Geometry) -> tuple[Block, ...]:
    """Divide the output's rows into blocks whose columns stay in cache."""
    height, width = g.out
    run = width * g.batch
    rows = max(_BLOCK // (g.group * g.fan_in * run), -(-_NARROW // run))
    rows = min(height, max(1, rows))
    count = -(-height // rows)
    edges = [height * i // count for i in range(count + 1)]
    return tuple(Block(top, bottom, top * run, bottom * run) for top, bottom in pairwise(edges))
