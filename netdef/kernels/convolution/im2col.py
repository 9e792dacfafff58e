"""Convolution as matrix products over blocks of columns that stay in cache.

A block is some rows of the output. With the batch innermost every copy into the columns is of
long contiguous runs, and the product's result is already the output as it should lie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm, Array, Scratch, add_row_sums
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.matrix import as_rows

_BLOCK = 1 << 19
"""Values of one block of columns: 2 MB of float32 stay in a core's cache."""

_NARROW = 1024
"""Columns below which packing the weights again for each block costs more than cache misses."""

_KEPT = 8
"""Arrays whose views are kept; a plan hands over the same few again and again."""

T = TypeVar("T")


class Block(NamedTuple):
    """Rows of the output, and their columns within the whole."""

    top: int
    bottom: int
    begin: int
    end: int


class Copies(NamedTuple):
    """Views that fill one block of columns: zeros over padding, copies from the input."""

    zeros: list[Array]
    pairs: list[tuple[Array, Array]]


class Im2col(Algorithm):
    """CHWN; any two-dimensional kernel."""

    name = "im2col"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self._blocks = blocks(geometry)
        self._gathers: dict[int, tuple[Array, list[Copies]]] = {}
        self._scatters: dict[int, tuple[Array, list[list[tuple[Array, Array]]]]] = {}

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """One block of columns, which holds gradients after values; weights to add from."""
        g = self.geometry
        widest = max(block.end - block.begin for block in self._blocks)
        needs: dict[str, tuple[int, ...]] = {"columns": (g.group * g.fan_in * widest,)}
        if dw:
            needs["dw"] = (g.group, g.outputs // g.group, g.fan_in)
            needs["db"] = (g.outputs,)
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        self._scratch = scratch
        self._ones = np.ones(max(block.end - block.begin for block in self._blocks), dtype)
        self._gathers.clear()
        self._scatters.clear()

    def forward(self, x: Array, w: Array, b: Array | None, y: Array) -> None:
        """Fill a block of columns, multiply, add the bias while the result is in cache."""
        g = self.geometry
        weights, ys = self._weights(w), self._outputs(y)
        for block, copies in zip(self._blocks, self._gather(x), strict=True):
            part = ys[:, :, block.begin : block.end]
            np.matmul(weights, self._fill(block, copies), out=part)
            if b is not None:
                np.add(part, b.reshape(g.group, -1, 1), out=part)

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
            gathers = self._gather(x)
        if dx is not None:
            turned = self._weights(w).transpose(0, 2, 1)
            scatters = self._scatter(dx)
            if not add_dx:
                dx.fill(0)
        for index, block in enumerate(self._blocks):
            part = dys[:, :, block.begin : block.end]
            add = add_params or index > 0
            if dw is not None:
                columns = self._fill(block, gathers[index]).transpose(0, 2, 1)
                target = self._weights(dw)
                np.matmul(part, columns, out=self._scratch["dw"] if add else target)
                if add:
                    np.add(target, self._scratch["dw"], out=target)
            if db is not None:
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

    def _fill(self, block: Block, copies: Copies) -> Array:
        for zeros in copies.zeros:
            zeros.fill(0)
        for target, source in copies.pairs:
            np.copyto(target, source)
        return self._block(block)

    def _block(self, block: Block) -> Array:
        """The columns of a block as matrices: (group, fan_in, columns)."""
        g, width = self.geometry, block.end - block.begin
        flat = self._scratch["columns"][: g.group * g.fan_in * width]
        return flat.reshape(g.group, g.fan_in, width)

    def _axes(self, block: Block) -> Array:
        """The columns of a block by axes: (c, kh, kw, rows, w, n)."""
        g = self.geometry
        rows = block.bottom - block.top
        return self._block(block).reshape(g.channels, *g.kernel, rows, g.out[1], g.batch)

    def _gather(self, x: Array) -> list[Copies]:
        def make() -> list[Copies]:
            return [gather(self.geometry, block, x, self._axes(block)) for block in self._blocks]

        return _kept(self._gathers, x, make)

    def _scatter(self, dx: Array) -> list[list[tuple[Array, Array]]]:
        def make() -> list[list[tuple[Array, Array]]]:
            return [scatter(self.geometry, block, dx, self._axes(block)) for block in self._blocks]

        return _kept(self._scatters, dx, make)

    def _weights(self, w: Array) -> Array:
        g = self.geometry
        return w.reshape(g.group, g.outputs // g.group, g.fan_in)

    def _outputs(self, y: Array) -> Array:
        g = self.geometry
        return as_rows(y, g.group, g.outputs // g.group)


def _kept(known: dict[int, tuple[Array, T]], array: Array, make: Callable[[], T]) -> T:
    """What was made for an array before, or what `make` gives."""
    # the entry holds the array itself, so its id cannot be another's
    found = known.get(id(array))
    if found is None:
        if len(known) >= _KEPT:
            known.clear()
        found = known[id(array)] = (array, make())
    return found[1]


def blocks(g: Geometry) -> tuple[Block, ...]:
    """Divide the output's rows into blocks whose columns stay in cache."""
    height, width = g.out
    run = width * g.batch
    rows = max(_BLOCK // (g.group * g.fan_in * run), -(-_NARROW // run))
    rows = min(height, max(1, rows))
    count = -(-height // rows)
    edges = [height * i // count for i in range(count + 1)]
    return tuple(Block(top, bottom, top * run, bottom * run) for top, bottom in pairwise(edges))


def gather(g: Geometry, block: Block, x: Array, columns: Array) -> Copies:
    """Views that fill the columns of a block from an input.

    Taps that all lie on the input for the whole block are copied in one call.

    Args:
        g: the convolution.
        block: which rows of the output.
        x: input, (c, h, w, n).
        columns: (c, kh, kw, rows, w, n).
    """
    tall, wide = g.taps(0), g.taps(1)
    zeros: list[Array] = []
    row_groups: list[tuple[slice, int, int, int]] = []
    if all(t.low <= block.top and t.high >= block.bottom for t in tall):
        start = tall[0].start + (block.top - tall[0].low) * g.stride[0]
        row_groups.append((slice(0, len(tall)), 0, block.bottom - block.top, start))
    else:
        for i, tap in enumerate(tall):
            low = min(max(tap.low, block.top), block.bottom)
            high = max(low, min(tap.high, block.bottom))
            start = tap.start + (low - tap.low) * g.stride[0]
            row_groups.append((slice(i, i + 1), low - block.top, high - block.top, start))
            zeros += [columns[:, i, :, : low - block.top], columns[:, i, :, high - block.top :]]
    column_groups: list[tuple[slice, int, int, int]] = []
    if all(t.low == 0 and t.high == g.out[1] for t in wide):
        column_groups.append((slice(0, len(wide)), 0, g.out[1], wide[0].start))
    else:
        for j, tap in enumerate(wide):
            column_groups.append((slice(j, j + 1), tap.low, tap.high, tap.start))
            zeros += [columns[:, :, j, :, : tap.low], columns[:, :, j, :, tap.high :]]
    pairs = []
    by_c, by_h, by_w, by_n = x.strides
    for tall_taps, top, bottom, h in row_groups:
        for wide_taps, left, right, w in column_groups:
            target = columns[:, tall_taps, wide_taps, top:bottom, left:right]
            if not target.size:
                continue
            source = as_strided(
                x[:, h:, w:],
                target.shape,
                (
                    by_c,
                    by_h * g.dilation[0],
                    by_w * g.dilation[1],
                    by_h * g.stride[0],
                    by_w * g.stride[1],
                    by_n,
                ),
                writeable=False,
            )
            pairs.append((target, source))
    return Copies([z for z in zeros if z.size], pairs)


def scatter(g: Geometry, block: Block, dx: Array, columns: Array) -> list[tuple[Array, Array]]:
    """Pairs of views, one for each tap: the second is to be added to the first.

    Args:
        g: the convolution.
        block: which rows of the output.
        dx: gradient of the input, (c, h, w, n).
        columns: gradient of the columns, (c, kh, kw, rows, w, n).
    """
    pairs = []
    for i, tall in enumerate(g.taps(0)):
        low, high = max(tall.low, block.top), min(tall.high, block.bottom)
        top = tall.start + (low - tall.low) * g.stride[0]
        for j, wide in enumerate(g.taps(1)):
            rows, cols = high - low, wide.high - wide.low
            if rows <= 0 or cols <= 0:
                continue
            target = dx[
                :,
                top : top + (rows - 1) * g.stride[0] + 1 : g.stride[0],
                wide.start : wide.start + (cols - 1) * g.stride[1] + 1 : g.stride[1],
            ]
            source = columns[:, i, j, low - block.top : high - block.top, wide.low : wide.high]
            pairs.append((target, source))
    return pairs
