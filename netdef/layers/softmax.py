"""Softmax: scores to probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.kernels.softmax import softmax, softmax_gradient
from netdef.layers import base
from netdef.layers.axes import axis_in, axis_of

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Softmax")
@dataclass(frozen=True, slots=True)
class Softmax(base.Layer[None]):
    """Make probabilities of scores: all positive, 1 together along the axis.

    Formula:
        y = exp(x - max x) / sum(exp(x - max x)) along the axis
    Bottoms:
        x: any shape with the axis
    Tops:
        y: same as x
    Cost:
        1 exp and 4 flops a value; backward works from y
    Source:
        caffe/src/caffe/layers/softmax_layer.cpp

    Attributes:
        axis: of the classes; negative counts from the end.

    Example:
        >>> Softmax().shapes(((2, 3),))
        ((2, 3),)
    """

    axis: int = 1

    in_place = True
    reads_bottoms = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `softmax_param`."""
        del phase
        return cls(message.softmax_param.axis)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's.

        Raises:
            FieldError: there is no such axis.
        """
        axis_of(self.axis, bottoms[0], "softmax_param.axis")
        return bottoms

    def settings(self) -> str:
        """The axis, where it is not that of channels."""
        return f"axis {self.axis}" if self.axis != 1 else ""

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """CHWN, unless the classes lie along the batch."""
        return base.CHWN if self.axis % len(bottoms[0]) else base.NCHW

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch: a value for each distribution, and a product in backward."""
        shape = list(site.bottoms[0])
        shape[self._axis(site)] = 1
        needs = {"peak": base.Buffer(tuple(shape))}
        if site.backward:
            needs["product"] = base.Buffer(site.bottoms[0])
        return needs

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = exp(x - max x) / sum(exp(x - max x))."""
        softmax(run.bottom(0), self._axis(run.site), run.buffer("peak"), run.top(0))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = y * (dy - sum(dy * y))."""
        dx = run.bottom_diff(0)
        if dx is not None:
            peak, work = run.buffer("peak"), run.buffer("product")
            softmax_gradient(run.top(0), run.top_diff(0), self._axis(run.site), peak, work, dx)

    def _axis(self, site: base.Site) -> int:
        return axis_in(site.layout, self.axis % len(site.bottoms[0]))
