"""Winograd's products between transforms that are compiled.

A dense matrix takes n * n multiplications for each value of a transformed tile; along rows, then
along columns, and without its zeros, about 2 * n remain, and no tile is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Array, Finish, Scratch
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.space_to_depth import SpaceToDepth
from netdef.kernels.convolution.winograd import (
    Block,
    Winograd,
    WinogradF2,
    WinogradF4,
    WinogradF5,
)
from netdef.kernels.fast.tiles import kernels

_BLOCK = 1 << 17
"""Values of a block of the output that is finished while it is in cache."""


class FastWinograd(Winograd):
    """As `Winograd`, from which it differs in its transforms.

    Accuracy: that of `Winograd`.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g = geometry
        self._counts = self._count[0], self._count[1]
        self._pad = g.pad[0], g.pad[1]

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        return geometry.batch > 0 and super().fits(geometry)

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """As `Winograd`, but for some rows of tiles of one channel in place of a block."""
        needs = dict(super().scratch(dx=dx, dw=dw))
        del needs["tiles"]
        n, batch = self._n, self.geometry.batch
        across = self._counts[1] * batch
        needs["parts"] = (n * (across + batch),)
        needs["lines"] = (n * n * (self._most + across),)
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        super().bind(scratch, dtype)
        self._kernels = kernels(self._m, self._r)
        self._work = scratch["parts"], scratch["lines"]
        self._none = np.zeros(max(self.geometry.channels, self.geometry.outputs), dtype)

    def _blocks(
        self, rows: tuple[int, int], transformed: Array, channels: int, side: int
    ) -> Iterator[Block]:
        del rows, transformed, channels, side
        yield from ()

    def _take_input(self, index: int, x: Array) -> None:
        chunk = self._chunks[index]
        take, flat = self._kernels.take_input, chunk.inputs.reshape(-1)
        take(x, flat, chunk.rows, self._counts[1], self._pad, *self._work)

    def _put_output(self, index: int, b: Array | None, y: Array, finish: Finish | None) -> None:
        chunk, bias = self._chunks[index], self._none if b is None else b
        top, bottom = chunk.rows[0] * self._m, min(chunk.rows[1] * self._m, y.shape[1])
        row = y[0, 0].size
        step = len(y) if finish is None else max(1, _BLOCK // ((bottom - top) * row))
        put, flat = self._kernels.put_output, chunk.outputs.reshape(-1)
        for low in range(0, len(y), step):
            some = low, min(low + step, len(y))
            put(flat, y, some, bias, chunk.rows, self._counts, (0, 0), *self._work, add=False)
            if finish is not None:
                channels = y.reshape(len(y), -1)[low : some[1], top * row : bottom * row]
                finish(channels, low)

    def _take_gradient(self, index: int, dy: Array) -> None:
        chunk = self._chunks[index]
        take, flat = self._kernels.take_gradient, chunk.outputs.reshape(-1)
        take(dy, flat, chunk.rows, self._counts[1], (0, 0), *self._work)

    def _put_gradient(self, index: int, dx: Array, *, add: bool) -> None:
        chunk = self._chunks[index]
        put, some = self._kernels.put_gradient, (0, len(dx))
        flat, rows = chunk.inputs.reshape(-1), chunk.rows
        put(flat, dx, some, self._none, rows, self._counts, self._pad, *self._work, add=add)


class FastWinogradF2(FastWinograd, WinogradF2):
    """Tiles of 2 × 2 outputs: F(2, 3)."""

    name = f"{WinogradF2.name}, compiled"


class FastWinogradF4(FastWinograd, WinogradF4):
    """Tiles of 4 × 4 outputs: F(4, 3), F(4, 5)."""

    name = f"{WinogradF4.name}, compiled"


class FastWinogradF5(FastWinograd, WinogradF5):
    """Tiles of 5 × 5 outputs: F(5, 3)."""

    name = f"{WinogradF5.name}, compiled"


class FastSpaceToDepthF2(SpaceToDepth):
    """Then Winograd with tiles of 2 × 2 outputs."""

    name = f"space to depth, {FastWinogradF2.name}"
    inner = FastWinogradF2


class FastSpaceToDepthF4(SpaceToDepth):
    """Then Winograd with tiles of 4 × 4 outputs."""

    name = f"space to depth, {FastWinogradF4.name}"
    inner = FastWinogradF4


class FastSpaceToDepthF5(SpaceToDepth):
    """Then Winograd with tiles of 5 × 5 outputs."""

    name = f"space to depth, {FastWinogradF5.name}"
    inner = FastWinogradF5
