"""Convolution by Winograd's short products, with transforms that are matrix products.

The image is cut into tiles of n × n values that overlap by r - 1; each gives m × m outputs. For
each of the n * n values of a transformed tile one product (outputs, channels) @ (channels,
tiles) remains: n * n / (m * m) multiplications for an output in place of r * r.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import prod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm, Array, Finish, Scratch, add_row_sums
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.transforms import POINTS, Transforms, transforms
from netdef.kernels.convolution.windows import (
    Axis,
    Copies,
    Kept,
    Pair,
    axis,
    gather,
    scatter,
    widened,
)
from netdef.kernels.matrix import as_rows
from netdef.kernels.taps import Tap

_TILES = 128
"""Fewest tiles of a chunk, of which there are as many as channels too: BLAS packs the weights
for each chunk. More tiles leave the cache."""

_BLOCK = 1 << 18
"""Values of tiles that are transformed at once: 1 MB of float32 stays in a core's cache."""


class Chunk(NamedTuple):
    """Some rows of tiles, and where in the scratch arrays their values lie.

    Attributes:
        rows: first row of tiles, and the one after the last.
        inputs: transformed tiles of the input, (n * n, group, channels, tiles).
        outputs: transformed tiles of the output, (n * n, group, outputs, tiles).
        input_blocks: channels of the input that are transformed at once.
        output_blocks: channels of the output that are.
    """

    rows: tuple[int, int]
    inputs: Array
    outputs: Array
    input_blocks: list[Block]
    output_blocks: list[Block]


class Block(NamedTuple):
    """Channels `low` to `high` (excluded) of a chunk.

    Attributes:
        low: first channel.
        high: the one after the last.
        windows: tiles by axes (channel, tile_h, tile_w, rows, columns, batch).
        tiles: the same memory, (tile_h * tile_w, channels * tiles).
        transformed: where their transforms lie, (n * n, channels * tiles).
    """

    low: int
    high: int
    windows: Array
    tiles: Array
    transformed: Array


class Spread(NamedTuple):
    """Where the tiles of a gradient go: some are set, some added to rows that are set already."""

    sets: list[Pair]
    adds: list[Pair]


class Winograd(Algorithm):
    """CHWN; square kernels at stride 1 without dilation. F(m, r) is a subclass with its `tile`.

    Backward is the exact adjoint: one transform of dY serves dW and dX. The transforms of the
    input are made again there, which costs less than keeping two to four times the input.

    Accuracy: relative L2 error against float64, normal random values, 64 channels; plain
    products have 2e-7 to 4e-7, growing with the channels' square root as these do.

        F(2, 3)  3e-7
        F(4, 3)  8e-7
        F(5, 3)  2.5e-6
        F(4, 5)  4e-6

    A NaN or an infinity in a tile spoils all outputs of that tile.

    Attributes:
        tile: m, outputs along one side of a tile.
    """

    tile: ClassVar[int]

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g, m = geometry, self.tile
        r = g.kernel[0]
        self._m, self._n, self._r = m, m + r - 1, r
        self._count = tuple(-(-out // m) for out in g.out)
        sizes = list(zip(g.size, g.out, g.pad, self._count, strict=True))
        tall, wide = (axis(s, t, self._n, m, p) for s, _, p, t in sizes)
        self._input_axes = tall, wide
        tall, wide = (axis(o, t, m, m, 0) for _, o, _, t in sizes)
        self._output_axes = tall, wide
        across = self._count[1] * g.batch
        fewest = max(_TILES, min(g.channels, g.outputs) // g.group)
        count = min(max(1, self._count[0] * across // fewest), self._count[0])
        edges = [self._count[0] * i // count for i in range(count + 1)]
        self._rows = list(pairwise(edges))
        self._most = max(bottom - top for top, bottom in self._rows) * across

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        g = geometry
        square = len(g.kernel) == 2 and g.kernel[0] == g.kernel[1]
        plain = all(s == 1 for s in g.stride) and all(d == 1 for d in g.dilation)
        r = g.kernel[0]
        return square and plain and 1 < r <= cls.tile + 1 and cls.tile + r - 1 in POINTS

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """Transformed weights, transformed tiles of one chunk, tiles of one block."""
        g, nn = self.geometry, self._n**2
        u = (nn, g.group, g.outputs // g.group, g.channels // g.group)
        needs: dict[str, tuple[int, ...]] = {
            "u": u,
            "v": (nn * g.channels * self._most,),
            "m": (nn * g.outputs * self._most,),
            "tiles": (nn * self._widest() * self._most,),
        }
        if dw:
            needs["du"] = u
            needs["dw"] = (g.outputs, g.channels // g.group, *g.kernel)
            needs["db"] = (g.outputs,)
            if len(self._rows) > 1:
                needs["more_du"] = u
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays, and lay out chunks and blocks in them."""
        self._scratch = scratch
        self._transforms = Transforms(*(t.astype(dtype) for t in transforms(self._m, self._r)))
        self._ones = np.ones(prod(self.geometry.out) * self.geometry.batch, dtype)
        self._chunks = [self._chunk(rows) for rows in self._rows]
        self._x_copies: Kept[list[list[Copies]]] = Kept()
        self._dy_copies: Kept[list[list[Copies]]] = Kept()
        self._y_pairs: Kept[list[list[list[Pair]]]] = Kept()
        self._dx_spreads: Kept[list[list[Spread]]] = Kept()

    def held(self, *, bias: bool) -> tuple[str, ...]:
        """The transformed weights."""
        del bias
        return ("u",)

    def take_weights(self, w: Array, b: Array | None) -> None:
        """U = G w G^T."""
        del b
        taps = as_rows(w, w.shape[0] * w.shape[1])
        np.matmul(self._transforms.weight, taps.T, out=as_rows(self._scratch["u"], self._n**2))

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Y = A^T [U * (B^T d)], chunk by chunk."""
        if not self.holds:
            self.take_weights(w, b)
        for index, chunk in enumerate(self._chunks):
            self._take_input(index, x)
            np.matmul(self._scratch["u"], chunk.inputs, out=chunk.outputs)
            self._put_output(index, b, y, finish)

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
        """Each step of forward turned around, the last row of tiles first."""
        if dx is not None:
            if not self.holds:
                self.take_weights(w, None)
            u = self._scratch["u"].swapaxes(2, 3)
        if dx is not None or dw is not None:
            for index in reversed(range(len(self._chunks))):
                chunk = self._chunks[index]
                self._take_gradient(index, dy)
                if dw is not None:
                    self._take_input(index, x)
                    first = index == len(self._chunks) - 1
                    du = self._scratch["du" if first else "more_du"]
                    np.matmul(chunk.outputs, chunk.inputs.swapaxes(2, 3), out=du)
                    if not first:
                        np.add(self._scratch["du"], du, out=self._scratch["du"])
                if dx is not None:
                    np.matmul(u, chunk.outputs, out=chunk.inputs)
                    self._put_gradient(index, dx, add=add_dx)
        if dw is not None:
            self._turn_back_weights(dw, add=add_params)
        if db is not None:
            rows = as_rows(dy, self.geometry.outputs)
            add_row_sums(rows, self._ones, self._scratch.get("db", db), db, add=add_params)

    def _turn_back_weights(self, dw: Array, *, add: bool) -> None:
        target = self._scratch["dw"] if add else dw
        du = as_rows(self._scratch["du"], self._n**2)
        out = as_rows(target, dw.shape[0] * dw.shape[1])
        np.matmul(du.T, self._transforms.weight, out=out)
        if add:
            np.add(dw, target, out=dw)

    def _take_input(self, index: int, x: Array) -> None:
        """Fill a chunk's `inputs` with B^T d B."""
        copies = self._x_copies.get(x, self._gather_x)[index]
        for block, some in zip(self._chunks[index].input_blocks, copies, strict=True):
            some.run()
            np.matmul(self._transforms.input, block.tiles, out=block.transformed)

    def _put_output(self, index: int, b: Array | None, y: Array, finish: Finish | None) -> None:
        """Write A^T M A of a chunk's `outputs`."""
        pairs = self._y_pairs.get(y, self._scatter_y)[index]
        for block, some in zip(self._chunks[index].output_blocks, pairs, strict=True):
            np.matmul(self._transforms.output, block.transformed, out=block.tiles)
            channels = block.tiles.reshape(self._m**2, block.high - block.low, -1)
            if b is not None:
                np.add(channels, b[block.low : block.high, None], out=channels)
            if finish is not None:
                finish(channels, block.low)
            for target, source in some:
                np.copyto(target, source)

    def _take_gradient(self, index: int, dy: Array) -> None:
        """Fill a chunk's `outputs` with A dY A^T."""
        copies = self._dy_copies.get(dy, self._gather_dy)[index]
        for block, some in zip(self._chunks[index].output_blocks, copies, strict=True):
            some.run()
            np.matmul(self._transforms.output.T, block.tiles, out=block.transformed)

    def _put_gradient(self, index: int, dx: Array, *, add: bool) -> None:
        """Write, or add, B dV B^T of a chunk's `inputs`; the chunks below have been."""
        spreads = self._dx_spreads.get(dx, self._spread_dx)[index]
        for block, spread in zip(self._chunks[index].input_blocks, spreads, strict=True):
            self._put(block, spread, add=add)

    def _put(self, block: Block, spread: Spread, *, add: bool) -> None:
        """Bring a block of dX's tiles home."""
        np.matmul(self._transforms.input.T, block.transformed, out=block.tiles)
        m, lap, tiles = self._m, self._r - 1, block.windows
        # what a tile shares with the next one is summed here, where runs are long
        top, left = tiles[:, :lap, :, 1:], tiles[:, :, :lap, :, 1:]
        np.add(top, tiles[:, m:, :, :-1], out=top)
        np.add(left, tiles[:, :, m:, :, :-1], out=left)
        for target, source in spread.sets:
            if add:
                np.add(target, source, out=target)
            else:
                np.copyto(*widened(target, source))
        for target, source in spread.adds:
            np.add(target, source, out=target)

    def _widest(self) -> int:
        """Most channels of a block."""
        g = self.geometry
        return min(max(g.channels, g.outputs), max(1, _BLOCK // (self._n**2 * self._most)))

    def _chunk(self, rows: tuple[int, int]) -> Chunk:
        g, nn = self.geometry, self._n**2
        tiles = (rows[1] - rows[0]) * self._count[1] * g.batch
        inputs = self._scratch["v"][: nn * g.channels * tiles].reshape(nn, g.group, -1, tiles)
        outputs = self._scratch["m"][: nn * g.outputs * tiles].reshape(nn, g.group, -1, tiles)
        return Chunk(
            rows,
            inputs,
            outputs,
            list(self._blocks(rows, as_rows(inputs, nn), g.channels, self._n)),
            list(self._blocks(rows, as_rows(outputs, nn), g.outputs, self._m)),
        )

    def _blocks(
        self, rows: tuple[int, int], transformed: Array, channels: int, side: int
    ) -> Iterator[Block]:
        shape = (rows[1] - rows[0], self._count[1], self.geometry.batch)
        tiles = shape[0] * shape[1] * shape[2]
        widest = self._widest()
        for low in range(0, channels, widest):
            high = min(channels, low + widest)
            flat = self._scratch["tiles"][: side * side * (high - low) * tiles]
            windows = flat.reshape(side, side, high - low, *shape).transpose(2, 0, 1, 3, 4, 5)
            some = transformed[:, low * tiles : high * tiles]
            yield Block(low, high, windows, flat.reshape(side * side, -1), some)

    def _gather_x(self, x: Array) -> list[list[Copies]]:
        return [
            [gather(self._input_axes, c.rows, x[b.low : b.high], b.windows) for b in c.input_blocks]
            for c in self._chunks
        ]

    def _gather_dy(self, dy: Array) -> list[list[Copies]]:
        return [
            [
                gather(self._output_axes, c.rows, dy[b.low : b.high], b.windows)
                for b in c.output_blocks
            ]
            for c in self._chunks
        ]

    def _scatter_y(self, y: Array) -> list[list[list[Pair]]]:
        return [
            [
                [
                    widened(*pair)
                    for pair in scatter(self._output_axes, c.rows, y[b.low : b.high], b.windows)
                ]
                for b in c.output_blocks
            ]
            for c in self._chunks
        ]

    def _spread_dx(self, dx: Array) -> list[list[Spread]]:
        m = self._m
        tall, wide = self._input_axes
        wide = _ends(wide, m, wide.positions - 1)
        spreads = []
        for chunk in self._chunks:
            rows = chunk.rows
            ended = _ends(tall, m, rows[1] - 1)
            heads, tails = (ended._replace(taps=t) for t in (ended.taps[:m], ended.taps[m:]))
            some = []
            for block in chunk.input_blocks:
                part = dx[block.low : block.high]
                sets = scatter((heads, wide), rows, part, block.windows[:, :m])
                more = scatter((tails, wide), rows, part, block.windows[:, m:])
                last = rows[1] == tall.positions
                some.append(Spread(sets + more, []) if last else Spread(sets, more))
            spreads.append(some)
        return spreads


def _ends(windows: Axis, m: int, last: int) -> Axis:
    """The same windows, but of values from m on only those of one window."""
    kept = list(windows.taps[:m])
    for low, high, start in windows.taps[m:]:
        first = max(low, last)
        kept.append(Tap(first, high, start + (first - low) * windows.stride))
    return windows._replace(taps=tuple(kept))


class WinogradF2(Winograd):
    """Tiles of 2 × 2 outputs: F(2, 3)."""

    name = "winograd F(2)"
    tile = 2


class WinogradF4(Winograd):
    """Tiles of 4 × 4 outputs: F(4, 3), F(4, 5)."""

    name = "winograd F(4)"
    tile = 4


class WinogradF5(Winograd):
    """Tiles of 5 × 5 outputs: F(5, 3)."""

    name = "winograd F(5)"
    tile = 5
