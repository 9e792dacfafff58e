"""Parameter: a learned blob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.filler import ZEROS

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Parameter")
@dataclass(frozen=True, slots=True)
class Parameter(base.Layer[None]):
    """Give a learned parameter as a blob, for other layers to compute with.

    Formula:
        y = w
    Bottoms:
        none
    Tops:
        y: as written
    Params:
        value: the same shape; starts at zero
    Cost:
        a copy
    Source:
        caffe/include/caffe/layers/parameter_layer.hpp
    Differs from Caffe:
        The top holds the parameter's values as of the last forward pass; in Caffe it is the
        parameter's own memory.

    Attributes:
        shape: of the parameter; a scalar where none is written.

    Example:
        >>> Parameter((2, 3)).shapes(())
        ((2, 3),)
    """

    shape: base.Shape = ()

    bottom_count = (0, 0)
    reads_bottoms = False
    reads_tops = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `parameter_param`.

        Raises:
            FieldError: a size is below 0.
        """
        del phase
        shape = tuple(message.parameter_param.shape.dim)
        for axis, size in enumerate(shape):
            if size < 0:
                raise FieldError(
                    f"parameter_param.shape.dim[{axis}]",
                    f"must be at least 0, is {size}",
                    "write how many values the parameter has along this axis",
                )
        return cls(shape)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """As written."""
        del bottoms
        return (self.shape,)

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """The value; Caffe has no filler for it."""
        del bottoms
        return (base.Learned("value", self.shape, ZEROS),)

    def settings(self) -> str:
        """The shape."""
        return show(self.shape)

    def forward(self, run: base.Forward[None]) -> None:
        """Copy the parameter."""
        np.copyto(run.top(0), run.param(0))

    def backward(self, run: base.Backward[None]) -> None:
        """Copy the gradient."""
        if (dw := run.param_diff(0)) is not None:
            np.copyto(dw, run.top_diff(0))
