"""Convolution where each output sees one channel, channel by channel in cache.

There is too little arithmetic for a matrix product to earn back what it packs. Copying one
channel's columns and multiplying them by one vector of weights, while they are in cache, takes
half the time of adding up nine products with ufuncs.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.adjoint import PhaseAxis, phases
from netdef.kernels.convolution.algorithm import Algorithm, Array, Finish, Scratch, add_row_sums
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.windows import (
    Axes,
    Axis,
    Copies,
    Kept,
    Pair,
    axes,
    gather,
    gather_split,
    split,
    split_size,
    widened,
)
from netdef.kernels.matrix import as_rows

_BLOCK = 1 << 18
"""Values of one block of columns: 1 MB of float32 stays in a core's cache."""


class Block(NamedTuple):
    """Channels `low` to `high` (excluded) of the input, and rows of windows."""

    low: int
    high: int
    top: int
    bottom: int


class Columns(NamedTuple):
    """A block of columns and what fills it.

    Attributes:
        block: which channels and rows.
        parts: copies that take the strides apart first.
        copies: copies into the columns.
        clean: the zeros of the block before are those of this one.
        values: (channels, values of a window, windows).
    """

    block: Block
    parts: list[Pair]
    copies: Copies
    clean: bool
    values: Array

    def fill(self) -> Array:
        """Fill the columns, and return them."""
        for target, source in self.parts:
            np.copyto(target, source)
        if not self.clean:
            for zeros in self.copies.zeros:
                zeros.fill(0)
        for target, source in self.copies.pairs:
            np.copyto(target, source)
        return self.values


class Phase(NamedTuple):
    """Inputs that meet the same taps.

    Attributes:
        tall: along the height.
        wide: along the width.
        blocks: its values in pieces.
        taps: of the kernel, that it meets.
        begin: where its weights lie in scratch `turned`.
    """

    tall: PhaseAxis
    wide: PhaseAxis
    blocks: list[Block]
    taps: int
    begin: int


class Home(NamedTuple):
    """Where a block of a phase of dX goes.

    Attributes:
        weights: (channels, 1, many * taps).
        result: (channels, 1, windows) in scratch.
        pair: from the scratch to dX.
        whole: the same place in dX as `result`, where it has no gaps.
    """

    weights: Array
    result: Array
    pair: Pair
    whole: Array | None


class Depthwise(Algorithm):
    """CHWN; as many groups as channels, any number of outputs for each.

    Accuracy: that of plain sums over the kernel's taps, relative L2 error about 1e-7.
    """

    name = "depthwise"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g = geometry
        self._many = g.outputs // g.channels
        self._over = axes(g)
        self._taps = g.kernel[0] * g.kernel[1]
        self._blocks = self._cut(self._taps, self._over)
        self._splits = g.stride[1] > 1 and self._taps > g.stride[0] * g.stride[1]
        self._phases: list[Phase] = []
        begin = 0
        for tall, wide in product(phases(g, 0), phases(g, 1)):
            taps = len(tall.windows.taps) * len(wide.windows.taps)
            blocks = self._cut(max(1, self._many * taps), (tall.windows, wide.windows))
            self._phases.append(Phase(tall, wide, blocks, taps, begin))
            begin += g.outputs * taps

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        return len(geometry.size) == 2 and geometry.group == geometry.channels

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """One block of columns, one block of dX, and weights in the order of dX's taps."""
        g = self.geometry
        needs: dict[str, tuple[int, ...]] = {}
        columns = [self._taps * _count(b, self._over[1], g) for b in self._blocks]
        if self._splits:
            needs["apart"] = (max(b.high - b.low for b in self._blocks), *split_size(g)[1:])
        if dx:
            each = [(p, _count(b, p.wide.windows, g)) for p in self._phases for b in p.blocks]
            columns += [self._many * phase.taps * count for phase, count in each]
            needs["result"] = (max(count for _, count in each),)
            needs["turned"] = (g.outputs * self._taps,)
        if dw:
            needs["dw"] = (g.channels, self._many, self._taps)
            needs["db"] = (g.outputs,)
        needs["columns"] = (max(columns),)
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        g = self.geometry
        self._scratch = scratch
        self._ones = np.ones(g.out[0] * g.out[1] * g.batch, dtype)
        self._x_columns: Kept[list[Columns]] = Kept()
        self._dy_columns: Kept[list[Columns]] = Kept()
        self._homes: Kept[list[Home]] = Kept()

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Y = w @ columns + b, block by block."""
        g = self.geometry
        weights = w.reshape(g.channels, self._many, -1)
        ys = as_rows(y, g.channels, self._many)
        biases = None if b is None else b.reshape(g.channels, self._many, 1)
        for columns in self._x_columns.get(x, self._see_x):
            low, high, _, _ = columns.block
            some = self._part(ys, columns.block)
            np.matmul(weights[low:high], columns.fill(), out=some)
            if biases is not None:
                np.add(some, biases[low:high], out=some)
            if finish is not None and self._many == 1:
                finish(some[:, 0], low)
            elif finish is not None:
                for channel in range(low, high):
                    finish(some[channel - low], channel * self._many)

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
        """dW = dY @ columns^T; dX = turned w @ columns of dY, phase by phase."""
        g = self.geometry
        if dw is not None:
            target = dw.reshape(g.channels, self._many, -1)
            dys = as_rows(dy, g.channels, self._many)
            for columns in self._x_columns.get(x, self._see_x):
                low, high, top, _ = columns.block
                add = add_params or top > 0
                out = (self._scratch["dw"] if add else target)[low:high]
                values = columns.fill().transpose(0, 2, 1)
                np.matmul(self._part(dys, columns.block), values, out=out)
                if add:
                    np.add(target[low:high], out, out=target[low:high])
        if db is not None:
            rows = as_rows(dy, g.outputs)
            add_row_sums(rows, self._ones, self._scratch.get("db", db), db, add=add_params)
        if dx is not None:
            self._turn(w)
            blocks = self._dy_columns.get(dy, self._see_dy)
            for columns, home in zip(blocks, self._homes.get(dx, self._bring_home), strict=True):
                _correlate(columns, home, add=add_dx)

    def _turn(self, w: Array) -> None:
        """Put the weights of each phase together: (channels, many * taps)."""
        for phase in self._phases:
            some = w[:, 0, phase.tall.taps, phase.wide.taps]
            flat = self._scratch["turned"][phase.begin : phase.begin + some.size]
            np.copyto(flat.reshape(some.shape), some)

    def _cut(self, values: int, over: Axes) -> list[Block]:
        """Blocks of columns with so many values a window: whole channels, or rows of one."""
        (tall, wide), g = over, self.geometry
        row = values * wide.positions * g.batch
        many = max(1, _BLOCK // (row * tall.positions))
        parts = min(tall.positions, -(-row * tall.positions // (2 * _BLOCK)))
        edges = [tall.positions * i // parts for i in range(parts + 1)]
        return [
            Block(low, min(g.channels, low + many), top, bottom)
            for low in range(0, g.channels, many)
            for top, bottom in pairwise(edges)
        ]

    def _part(self, ys: Array, block: Block) -> Array:
        """A block of the output, (channels, many, windows)."""
        run = self._over[1].positions * self.geometry.batch
        return ys[block.low : block.high, :, block.top * run : block.bottom * run]

    def _see_x(self, x: Array) -> list[Columns]:
        found: list[Columns] = []
        for block in self._blocks:
            image = x[block.low : block.high]
            parts: list[Pair] = []
            look = gather
            if self._splits:
                apart = self._scratch["apart"][: len(image)]
                # further rows of the same channels find them taken apart
                parts = split(image, apart) if block.top == 0 else []
                image, look = apart, gather_split
            values, windows = self._columns(block, self._over, 1)
            copies = look(self._over, (block.top, block.bottom), image, windows)
            found.append(Columns(block, parts, copies, _same_zeros(found, block), values))
        return found

    def _see_dy(self, dy: Array) -> list[Columns]:
        found: list[Columns] = []
        for phase in self._phases:
            over = phase.tall.windows, phase.wide.windows
            of_phase: list[Columns] = []
            for block in phase.blocks:
                values, windows = self._columns(block, over, self._many)
                copies = Copies([], [])
                if phase.taps:
                    image = dy[block.low * self._many : block.high * self._many]
                    copies = gather(over, (block.top, block.bottom), image, windows)
                clean = _same_zeros(of_phase, block)
                of_phase.append(Columns(block, [], copies, clean, values))
            found += of_phase
        return found

    def _columns(self, block: Block, over: Axes, many: int) -> tuple[Array, Array]:
        """A block in scratch: as matrices, and by axes (channel, kh, kw, rows, w, n)."""
        channels, (tall, wide) = block.high - block.low, over
        kernel = len(tall.taps), len(wide.taps)
        windows = block.bottom - block.top, wide.positions, self.geometry.batch
        values = many * prod(kernel)
        flat = self._scratch["columns"][: channels * values * prod(windows)]
        by_axes = flat.reshape(channels * many, *kernel, *windows)
        return flat.reshape(channels, values, prod(windows)), by_axes

    def _bring_home(self, dx: Array) -> list[Home]:
        g = self.geometry
        homes = []
        for phase in self._phases:
            flat = self._scratch["turned"][phase.begin : phase.begin + g.outputs * phase.taps]
            weights = flat.reshape(g.channels, 1, self._many * phase.taps)
            rows = dx[:, phase.tall.first :: g.stride[0], phase.wide.first :: g.stride[1]]
            for block in phase.blocks:
                target = rows[block.low : block.high, block.top : block.bottom]
                source = self._scratch["result"][: target.size].reshape(target.shape)
                whole = None
                if max(g.stride) == 1:
                    some = as_rows(dx, g.channels, 1)
                    run = phase.wide.windows.positions * g.batch
                    whole = some[block.low : block.high, :, block.top * run : block.bottom * run]
                result = source.reshape(len(target), 1, -1)
                homes.append(Home(weights[block.low : block.high], result, (target, source), whole))
        return homes


def _correlate(columns: Columns, home: Home, *, add: bool) -> None:
    """Compute one block of dX."""
    target, source = home.pair
    if not home.weights.size:
        if not add:
            target.fill(0)
    elif add or home.whole is None:
        np.matmul(home.weights, columns.fill(), out=home.result)
        if add:
            np.add(target, source, out=target)
        else:
            np.copyto(*widened(target, source))
    else:
        np.matmul(home.weights, columns.fill(), out=home.whole)


def _count(block: Block, wide: Axis, g: Geometry) -> int:
    """Windows of a block, of all its channels."""
    return (block.high - block.low) * (block.bottom - block.top) * wide.positions * g.batch


def _same_zeros(before: list[Columns], block: Block) -> bool:
    """Whether the block before left its zeros where this one wants them."""
    if not before:
        return False
    last = before[-1].block
    return last[2:] == block[2:] and last.high - last.low >= block.high - block.low
