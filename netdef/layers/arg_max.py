"""ArgMax: where the largest values are."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import axis_in, axis_of, show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("ArgMax")
@dataclass(frozen=True, slots=True)
class ArgMax(base.Layer[None]):
    """The places, or the values, of the top_k largest values.

    Formula:
        y = places of the top_k largest of x along the axis, the largest first
        y = those values; with an axis and out_max_val
        y[:, 0] = places, y[:, 1] = values; without an axis and with out_max_val
    Bottoms:
        x: any shape with the axis; without an axis, all values of an example are compared
    Tops:
        y: x's shape with top_k at the axis; N×1×top_k without an axis, N×2×top_k with values too,
            and 1s up to as many axes as x has
    Cost:
        1 comparison a value for top_k 1, else a sort; no backward
    Source:
        caffe/src/caffe/layers/argmax_layer.cpp

    Of equal values the last comes first, as in Caffe. A place counts from 0 along the axis, or
    through all values of an example.

    Differences from Caffe:
        NaN counts as the largest; Caffe's order is then any.

    Attributes:
        top_k: how many.
        axis: to search along, negative counts from the end; None for all values of an example.
        out_max_val: give the values: with an axis in place of the places, else beside them.

    Example:
        >>> ArgMax(top_k=2).shapes(((4, 3, 5, 7),)), ArgMax(axis=1).shapes(((4, 3, 5, 7),))
        (((4, 1, 2, 1),), ((4, 1, 5, 7),))
    """

    top_k: int = 1
    axis: int | None = None
    out_max_val: bool = False

    layout = base.ANY
    reads_bottoms = False
    reads_tops = False
    no_gradient = (0,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `argmax_param`.

        Raises:
            FieldError: top_k is 0.
        """
        del phase
        param = message.argmax_param
        if param.top_k < 1:
            raise FieldError(
                "argmax_param.top_k", "must be at least 1, is 0", "leave it out for the largest"
            )
        axis = param.axis if param.HasField("axis") else None
        return cls(param.top_k, axis, param.out_max_val)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Of the places, or values.

        Raises:
            BottomError: it is a scalar.
            FieldError: there is no such axis, or top_k is more than there are values.
        """
        (x,) = bottoms
        if not x:
            raise BottomError(0, "is a scalar, nothing can be searched")
        if self.axis is not None:
            axis = axis_of(self.axis, x, "argmax_param.axis")
            self._check_count(x[axis], x)
            return ((*x[:axis], self.top_k, *x[axis + 1 :]),)
        self._check_count(prod(x[1:]), x)
        return ((x[0], 1 + self.out_max_val, self.top_k, *(1,) * (len(x) - 3)),)

    def _check_count(self, count: int, x: base.Shape) -> None:
        if self.top_k > count:
            raise FieldError(
                "argmax_param.top_k",
                f"is {self.top_k}, but there are {count} values to choose from (bottom is "
                f"{show(x)})",
                f"it can be at most {count}",
            )

    def settings(self) -> str:
        """What is not usual."""
        words = [f"top {self.top_k}"] if self.top_k != 1 else []
        words += [] if self.axis is None else [f"axis {self.axis}"]
        words += ["values"] if self.out_max_val else []
        return " ".join(words)

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Any where the search stays within an example and the top has its axes."""
        whole = self.axis is None or axis_of(self.axis, bottoms[0], "argmax_param.axis") == 0
        return base.NCHW if whole else base.ANY

    def forward(self, run: base.Forward[None]) -> None:
        """Search."""
        x, y = run.bottom(0), run.top(0)
        if self.axis is not None:
            axis = axis_in(run.site.layout, self._axis(x))
            index = _largest(x, axis, self.top_k)
            y[...] = np.take_along_axis(x, index, axis) if self.out_max_val else index
            return
        rows = x.reshape(len(x), prod(x.shape[1:]))
        found = y.reshape(len(x), 1 + self.out_max_val, self.top_k)
        index = _largest(rows, 1, self.top_k)
        found[:, 0] = index
        if self.out_max_val:
            found[:, 1] = np.take_along_axis(rows, index, 1)

    def _axis(self, x: base.Array) -> int:
        """The axis counted from 0, in Caffe's order."""
        assert self.axis is not None
        return self.axis % x.ndim


def _largest(x: base.Array, axis: int, count: int) -> base.Array:
    """Places of the largest values along an axis, the largest and of equal ones the last first."""
    place: base.Array
    if count == 1 and x.size:
        place = x.shape[axis] - 1 - np.flip(x, axis).argmax(axis, keepdims=True)
    else:
        order = np.flip(np.argsort(x, axis, kind="stable"), axis)
        place = np.take(order, np.arange(count), axis)
    return place
