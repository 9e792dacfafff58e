"""Concat: join bottoms along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import axis_in, axis_of, show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Concat")
@dataclass(frozen=True, slots=True)
class Concat(base.Layer[None]):
    """Put bottoms behind each other along one axis.

    Formula:
        y[:, a : a + len(x_i)] = x_i along the axis, a the sum of the sizes before
    Bottoms:
        x0, x1, …: of one shape but for the axis
    Tops:
        y: that shape, with the sum of their sizes at the axis
    Cost:
        a copy, where the plan does not let the bottoms be written in their place at once
    Source:
        caffe/src/caffe/layers/concat_layer.cpp

    Attributes:
        axis: where to join; negative counts from the end.

    Example:
        >>> Concat().shapes(((2, 3, 5), (2, 4, 5)))
        ((2, 7, 5),)
    """

    axis: int = 1

    bottom_count = (1, None)
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `concat_param`.

        Raises:
            FieldError: both `axis` and its old spelling `concat_dim` are written.
        """
        del phase
        param = message.concat_param
        if param.HasField("concat_dim"):
            if param.HasField("axis"):
                raise FieldError(
                    "concat_param.concat_dim",
                    f"is the old spelling of `axis`, which is there too and is {param.axis}",
                    "leave `concat_dim` out",
                )
            return cls(param.concat_dim)
        return cls(param.axis)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """One top, as long along the axis as all bottoms together.

        Raises:
            BottomError: bottoms differ in another axis.
            FieldError: there is no such axis.
        """
        first, axis = bottoms[0], self._axis(bottoms)
        for index, shape in enumerate(bottoms):
            rest = shape[:axis] + shape[axis + 1 :]
            if len(shape) != len(first) or rest != first[:axis] + first[axis + 1 :]:
                raise BottomError(
                    index,
                    f"is {show(shape)} and the first is {show(first)}",
                    f"bottoms joined along axis {axis} must be equal in all other axes",
                )
        return ((*first[:axis], sum(s[axis] for s in bottoms), *first[axis + 1 :]),)

    def _axis(self, bottoms: base.Shapes) -> int:
        return axis_of(self.axis, bottoms[0], "concat_param.axis")

    def settings(self) -> str:
        """The axis, where it is not that of channels."""
        return f"axis {self.axis}" if self.axis != 1 else ""

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """CHWN, unless batches are joined."""
        return base.CHWN if self._axis(bottoms) else base.NCHW

    def joins(self, bottoms: base.Shapes) -> bool:
        """Along the first axis in memory: channels in CHWN, images in NCHW."""
        return self._axis(bottoms) <= 1

    def is_view(self, bottoms: base.Shapes) -> bool:
        """A single bottom is the top."""
        return len(bottoms) == 1

    def forward(self, run: base.Forward[None]) -> None:
        """Copy each bottom to its place."""
        for x, part in zip(run.bottoms, self._parts(run, run.top(0)), strict=True):
            np.copyto(part, x)

    def backward(self, run: base.Backward[None]) -> None:
        """Copy each bottom's part of dy."""
        for index, part in enumerate(self._parts(run, run.top_diff(0))):
            dx = run.bottom_diff(index)
            if dx is not None:
                if run.adds(index):
                    np.add(dx, part, out=dx)
                else:
                    np.copyto(dx, part)

    def _parts(self, run: base.Forward[None], whole: base.Array) -> list[base.Array]:
        """The places of the bottoms in the top."""
        axis = axis_in(run.site.layout, self.axis % whole.ndim)
        before, parts, start = (slice(None),) * axis, [], 0
        for shape in run.site.bottoms:
            parts.append(whole[(*before, slice(start, start + shape[axis]))])
            start += shape[axis]
        return parts
