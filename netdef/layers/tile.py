"""Tile: the same again, along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.layers import base
from netdef.layers.axes import axis_in, axis_of

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Tile")
@dataclass(frozen=True, slots=True)
class Tile(base.Layer[None]):
    """Put copies of a bottom one after the other along one axis.

    Formula:
        y = x, x, … along the axis
    Bottoms:
        x: any shape with the axis
    Tops:
        y: x's shape with `tiles` times its size at the axis
    Cost:
        a copy; backward 1 flop a value of y
    Source:
        caffe/src/caffe/layers/tile_layer.cpp

    Attributes:
        tiles: how many copies.
        axis: along which; negative counts from the end.

    Example:
        >>> Tile(tiles=3).shapes(((2, 5, 7),))
        ((2, 15, 7),)
    """

    tiles: int = 1
    axis: int = 1

    layout = base.ANY
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `tile_param`.

        Raises:
            FieldError: tiles is missing or below 1.
        """
        del phase
        param = message.tile_param
        if param.tiles < 1:
            given = param.HasField("tiles")
            what = f"must be at least 1, is {param.tiles}" if given else "is missing"
            raise FieldError("tile_param.tiles", what, "write how many copies: `tiles: 2`")
        return cls(param.tiles, param.axis)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The axis is longer.

        Raises:
            FieldError: there is no such axis.
        """
        (x,) = bottoms
        axis = axis_of(self.axis, x, "tile_param.axis")
        return ((*x[:axis], x[axis] * self.tiles, *x[axis + 1 :]),)

    def settings(self) -> str:
        """How often, and the axis where it is not that of channels."""
        return f"×{self.tiles}" + (f" axis {self.axis}" if self.axis != 1 else "")

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Any, unless the batch is repeated."""
        axis = axis_of(self.axis, bottoms[0], "tile_param.axis")
        return base.ANY if axis else base.NCHW

    def is_view(self, bottoms: base.Shapes) -> bool:
        """A single copy is the bottom."""
        del bottoms
        return self.tiles == 1

    def forward(self, run: base.Forward[None]) -> None:
        """Copy x `tiles` times."""
        x, y = run.bottom(0), run.top(0)
        np.copyto(self._apart(run, y, self.tiles), self._apart(run, x))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx to the sum of the copies' gradients."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        dy = self._apart(run, run.top_diff(0), self.tiles)
        whole = self._apart(run, dx)[:, 0]
        for tile in range(self.tiles):
            if tile or run.adds(0):
                np.add(whole, dy[:, tile], out=whole)
            else:
                np.copyto(whole, dy[:, tile])

    def _apart(self, run: base.Forward[None], array: base.Array, tiles: int = 1) -> base.Array:
        """A view of a bottom or top: (before the axis, copies, from the axis on)."""
        x = run.site.bottoms[0]
        axis = axis_in(run.site.layout, self.axis % len(x))
        return array.reshape(prod(x[:axis]), tiles, prod(x[axis:]))
