"""Reduction: one number from all values of the last axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.layers import base
from netdef.layers.axes import axis_of

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_OPERATIONS = {1: "SUM", 2: "ASUM", 3: "SUMSQ", 4: "MEAN"}


@base.layer("Reduction")
@dataclass(frozen=True, slots=True)
class Reduction(base.Layer[None]):
    """Sum up all axes from one on.

    Formula:
        SUM: y = coeff * sum(x)
        ASUM: y = coeff * sum(|x|)
        SUMSQ: y = coeff * sum(x**2)
        MEAN: y = coeff * sum(x) / count, each over the axes from `axis` on
    Bottoms:
        x: any shape with the axis
    Tops:
        y: x's axes before `axis`; a scalar for axis 0
    Cost:
        1 flop a value, 2 for ASUM and SUMSQ, which need x for backward
    Source:
        caffe/src/caffe/layers/reduction_layer.cpp

    Differences from Caffe:
        The mean of nothing, in an empty batch, is 0; for Caffe it is NaN.

    Attributes:
        operation: SUM, ASUM, SUMSQ or MEAN.
        axis: the first that vanishes; negative counts from the end.
        coeff: factor on the result.

    Example:
        >>> Reduction(axis=1).shapes(((4, 3, 5),))
        ((4,),)
    """

    operation: str = "SUM"
    axis: int = 0
    coeff: float = 1.0

    reads_tops = False
    accumulates = True
    kinks = (0.0,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `reduction_param`."""
        del phase
        param = message.reduction_param
        return cls(_OPERATIONS[param.operation], param.axis, param.coeff)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The axes that stay.

        Raises:
            FieldError: there is no such axis.
        """
        (x,) = bottoms
        return (x[: axis_of(self.axis, x, "reduction_param.axis")],)

    def settings(self) -> str:
        """What is done, and over which axes."""
        words = [self.operation.lower()]
        words += [f"axis {self.axis}"] if self.axis else []
        words += [f"×{self.coeff:g}"] if self.coeff != 1 else []
        return " ".join(words)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for sizes or squares, or for gradients that are added."""
        if self.operation in ("ASUM", "SUMSQ"):
            return {"terms": base.Buffer(site.bottoms[0])}
        return {}

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = coeff * sum(|x|), as the operation is."""
        x, y = run.bottom(0), run.top(0)
        if self.operation in ("ASUM", "SUMSQ"):
            terms = run.buffer("terms")
            np.abs(x, out=terms) if self.operation == "ASUM" else np.multiply(x, x, out=terms)
            x = terms
        np.add.reduce(x.reshape(y.size, _count(run)), axis=1, out=y.reshape(-1))
        np.multiply(y, self._factor(run), out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = coeff * dy, times sign(x) for ASUM, times 2 x for SUMSQ."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        x = run.bottom(0)
        dy = np.multiply(run.top_diff(0), self._factor(run))
        dy = dy.reshape(*dy.shape, *(1,) * (x.ndim - dy.ndim))
        if self.operation in ("ASUM", "SUMSQ"):
            terms = run.buffer("terms")
            np.sign(x, out=terms) if self.operation == "ASUM" else np.add(x, x, out=terms)
            dy = np.multiply(terms, dy, out=terms)
        if run.adds(0):
            np.add(dx, dy, out=dx)
        else:
            np.copyto(dx, dy)

    def _factor(self, run: base.Forward[None]) -> base.Array:
        by = max(1, _count(run)) if self.operation == "MEAN" else 1
        return np.asarray(self.coeff / by, run.site.dtype)


def _count(run: base.Forward[None]) -> int:
    """How many values each value of the top is made of."""
    (x,), (y,) = run.site.bottoms, run.site.tops
    return prod(x[len(y) :])
