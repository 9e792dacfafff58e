"""Flatten: several axes become one."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.layers import base
from netdef.layers.axes import axis_of

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Flatten")
@dataclass(frozen=True, slots=True)
class Flatten(base.Layer[None]):
    """Make one axis of several neighbours; no value moves.

    Formula:
        y = x
    Bottoms:
        x: any shape
    Tops:
        y: x's values; the axes from `axis` to `end_axis` are one, their product long
    Cost:
        nothing
    Source:
        caffe/src/caffe/layers/flatten_layer.cpp

    Attributes:
        axis: the first of those axes; negative counts from the end.
        end_axis: the last of them.

    Example:
        >>> Flatten().shapes(((2, 3, 5, 7),))
        ((2, 105),)
    """

    axis: int = 1
    end_axis: int = -1

    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `flatten_param`."""
        del phase
        return cls(message.flatten_param.axis, message.flatten_param.end_axis)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's, with one axis for several.

        Raises:
            FieldError: there are no such axes.
        """
        (x,) = bottoms
        first = axis_of(self.axis, x, "flatten_param.axis")
        last = axis_of(self.end_axis, x, "flatten_param.end_axis")
        if last < first:
            raise FieldError(
                "flatten_param.end_axis",
                f"is axis {last}, before the first one, {first}",
                f"write an axis from {first} to {len(x) - 1}, or -1 for the last",
            )
        return ((*x[:first], prod(x[first : last + 1]), *x[last + 1 :]),)

    def settings(self) -> str:
        """The axes, where they are not all but the batch."""
        if (self.axis, self.end_axis) == (1, -1):
            return ""
        return f"axes {self.axis} to {self.end_axis}"

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """CHWN, unless the batch takes part."""
        first = axis_of(self.axis, bottoms[0], "flatten_param.axis")
        return base.CHWN if first else base.NCHW

    def is_view(self, bottoms: base.Shapes) -> bool:
        """Always."""
        del bottoms
        return True

    def forward(self, run: base.Forward[None]) -> None:
        """Copy, where the plan has not made the top a view."""
        y = run.top(0)
        np.copyto(y, run.bottom(0).reshape(y.shape))

    def backward(self, run: base.Backward[None]) -> None:
        """Copy back."""
        dx = run.bottom_diff(0)
        if dx is not None:
            dy = run.top_diff(0).reshape(dx.shape)
            if run.adds(0):
                np.add(dx, dy, out=dx)
            else:
                np.copyto(dx, dy)
