"""Slice: cut a bottom along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import axis_in, axis_of, show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Slice")
@dataclass(frozen=True, slots=True)
class Slice(base.Layer[None]):
    """Cut a bottom into pieces along one axis; the opposite of Concat.

    Formula:
        y_i = x[:, a_i : a_(i+1)] along the axis, a = 0, the slice points, the axis's size
    Bottoms:
        x: any shape with the axis
    Tops:
        y0, y1, …: x's shape with another size at the axis; equal pieces without slice points
    Cost:
        a copy, where the plan does not let the tops be read in their place
    Source:
        caffe/src/caffe/layers/slice_layer.cpp

    Attributes:
        axis: where to cut; negative counts from the end.
        slice_point: where the second and later tops begin, rising.
        tops: how many pieces.

    Example:
        >>> Slice(slice_point=(1,), tops=2).shapes(((2, 3),))
        ((2, 1), (2, 2))
    """

    axis: int = 1
    slice_point: tuple[int, ...] = ()
    tops: int = 1

    top_count = (1, None)
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `slice_param` and count the tops.

        Raises:
            FieldError: the points do not rise or are not one fewer than the tops, or both
                `axis` and its old spelling `slice_dim` are written.
        """
        del phase
        param, tops = message.slice_param, len(message.top)
        axis = param.axis
        if param.HasField("slice_dim"):
            if param.HasField("axis"):
                raise FieldError(
                    "slice_param.slice_dim",
                    f"is the old spelling of `axis`, which is there too and is {axis}",
                    "leave `slice_dim` out",
                )
            axis = param.slice_dim
        points = tuple(param.slice_point)
        if points and len(points) != tops - 1:
            raise FieldError(
                f"slice_param.slice_point[{max(0, min(len(points), tops) - 1)}]",
                f"cuts into {len(points) + 1} pieces with the others, the layer has {tops} tops",
                "write one point fewer than tops, or none for equal pieces",
            )
        for index, (before, point) in enumerate(pairwise((0, *points))):
            if point <= before:
                raise FieldError(
                    f"slice_param.slice_point[{index}]",
                    f"must be above {before}, is {point}",
                    "the points are where the second and later tops begin",
                )
        return cls(axis, points, tops)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """One top a piece.

        Raises:
            BottomError: the axis cannot be cut into equal pieces.
            FieldError: there is no such axis, or it ends before the last point.
        """
        (x,), axis = bottoms, self._axis(bottoms)
        return tuple((*x[:axis], b - a, *x[axis + 1 :]) for a, b in pairwise(self._cuts(x, axis)))

    def _axis(self, bottoms: base.Shapes) -> int:
        return axis_of(self.axis, bottoms[0], "slice_param.axis")

    def _cuts(self, x: base.Shape, axis: int) -> list[int]:
        """Where pieces begin, and the end."""
        size = x[axis]
        if self.slice_point:
            if self.slice_point[-1] >= size:
                raise FieldError(
                    f"slice_param.slice_point[{len(self.slice_point) - 1}]",
                    f"is {self.slice_point[-1]}, but axis {axis} of the bottom "
                    f"({show(x)}) ends at {size}",
                    f"the last point can be at most {size - 1}",
                )
            return [0, *self.slice_point, size]
        if size % self.tops or size < self.tops:
            raise BottomError(
                0,
                f"is {show(x)}: axis {axis} cannot be cut into {self.tops} equal pieces",
                "write where to cut with `slice_point`",
            )
        return [i * (size // self.tops) for i in range(self.tops + 1)]

    def settings(self) -> str:
        """The axis, where it is not that of channels, and the points."""
        words = [f"axis {self.axis}"] if self.axis != 1 else []
        words += ["at " + " ".join(map(str, self.slice_point))] if self.slice_point else []
        return " ".join(words)

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """CHWN, unless the batch is cut."""
        return base.CHWN if self._axis(bottoms) else base.NCHW

    def cuts(self, bottoms: base.Shapes) -> bool:
        """Along the first axis in memory: channels in CHWN, images in NCHW."""
        return self._axis(bottoms) <= 1

    def is_view(self, bottoms: base.Shapes) -> bool:
        """A single piece is the bottom."""
        del bottoms
        return self.tops == 1

    def forward(self, run: base.Forward[None]) -> None:
        """Copy each piece."""
        for y, part in zip(run.tops, self._parts(run, run.bottom(0)), strict=True):
            np.copyto(y, part)

    def backward(self, run: base.Backward[None]) -> None:
        """Put the gradients of the pieces together."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for dy, part in zip(run.top_diffs, self._parts(run, dx), strict=True):
            if run.adds(0):
                np.add(part, dy, out=part)
            else:
                np.copyto(part, dy)

    def _parts(self, run: base.Forward[None], whole: base.Array) -> list[base.Array]:
        """The places of the tops in the bottom."""
        axis = axis_in(run.site.layout, self.axis % whole.ndim)
        before, parts, start = (slice(None),) * axis, [], 0
        for shape in run.site.tops:
            parts.append(whole[(*before, slice(start, start + shape[axis]))])
            start += shape[axis]
        return parts
