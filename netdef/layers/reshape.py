"""Reshape: the same values under another shape."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Reshape")
@dataclass(frozen=True, slots=True)
class Reshape(base.Layer[None]):
    """Give the bottom's values another shape; no value moves.

    Formula:
        y = x
    Bottoms:
        x: any shape
    Tops:
        y: x's values; `num_axes` axes from `axis` on are replaced by those of `shape`
    Cost:
        nothing
    Source:
        caffe/src/caffe/layers/reshape_layer.cpp

    Attributes:
        shape: new sizes: 0 keeps that of the bottom's axis at the same place, counted from
            `axis`; -1, at most once, is what remains.
        axis: the first axis that is replaced; negative counts from the end, and -1 is behind
            the last, where new axes are added.
        num_axes: how many are replaced; -1 for all to the end.

    Example:
        >>> Reshape((0, -1, 3)).shapes(((2, 3, 5, 7),))
        ((2, 35, 3),)
        >>> Reshape((1,), axis=-1, num_axes=0).shapes(((2, 3),))
        ((2, 3, 1),)
    """

    shape: tuple[int, ...] = ()
    axis: int = 0
    num_axes: int = -1

    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `reshape_param`.

        Raises:
            FieldError: a size is below -1, or -1 is there twice.
        """
        del phase
        param = message.reshape_param
        shape = tuple(param.shape.dim)
        for index, size in enumerate(shape):
            if size < -1:
                raise FieldError(
                    f"reshape_param.shape.dim[{index}]",
                    f"must be at least -1, is {size}",
                    "0 keeps the bottom's size, -1 takes what remains",
                )
            if size == -1 and -1 in shape[:index]:
                raise FieldError(
                    f"reshape_param.shape.dim[{index}]",
                    "is the second -1, only one size can be what remains",
                    "write the other as a number, or 0 to keep the bottom's",
                )
        if param.num_axes < -1:
            raise FieldError(
                "reshape_param.num_axes",
                f"must be at least -1, is {param.num_axes}",
                "-1 is all axes to the end",
            )
        return cls(shape, param.axis, param.num_axes)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The new shape.

        Raises:
            BottomError: the values do not fill it.
            FieldError: there are no such axes.
        """
        (x,) = bottoms
        first, last = self._replaced(x)
        sizes = list(self.shape)
        for index, size in enumerate(sizes):
            if size == 0:
                if first + index >= len(x):
                    raise FieldError(
                        f"reshape_param.shape.dim[{index}]",
                        f"is 0, but the bottom ({show(x)}) has no axis {first + index} to keep",
                        "write a size, or -1 for what remains",
                    )
                sizes[index] = x[first + index]
        if -1 in sizes:
            rest = prod(x[:first]) * prod(s for s in sizes if s != -1) * prod(x[last:])
            if rest and prod(x) % rest:
                raise self._unfit(x, "with any size in the place of -1", (*x[:first], *sizes))
            sizes[sizes.index(-1)] = prod(x) // rest if rest else 0
        top = (*x[:first], *sizes, *x[last:])
        if prod(top) != prod(x):
            raise self._unfit(x, f"it holds {prod(top)}", top)
        return (top,)

    @staticmethod
    def _unfit(x: base.Shape, why: str, top: base.Shape) -> BottomError:
        return BottomError(
            0,
            f"is {show(x)}, whose {prod(x)} values do not fill the shape {show(top)}: {why}",
            "write -1 for one of the sizes",
        )

    def _replaced(self, x: base.Shape) -> tuple[int, int]:
        """The first axis that is replaced, and the first behind them."""
        count = len(x)
        first = self.axis if self.axis >= 0 else self.axis + count + 1
        if not 0 <= first <= count:
            raise FieldError(
                "reshape_param.axis",
                f"is {self.axis}, but the bottom is {show(x)}",
                f"write an axis from {-count - 1} to {count}",
            )
        last = count if self.num_axes == -1 else first + self.num_axes
        if last > count:
            raise FieldError(
                "reshape_param.num_axes",
                f"is {self.num_axes}, but the bottom ({show(x)}) has {count - first} axes "
                f"from axis {first} on",
                "-1 is all axes to the end",
            )
        return first, last

    def settings(self) -> str:
        """The new sizes: `→0×-1×3`."""
        words = "→" + "×".join(map(str, self.shape))
        return words + (f" at {self.axis}" if self.axis else "")

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """CHWN where the first axis keeps its size, for then each image keeps its values."""
        (x,), (y,) = bottoms, self.shapes(bottoms)
        return base.CHWN if x and y and x[0] == y[0] else base.NCHW

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
