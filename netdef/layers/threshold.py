"""Threshold: 1 where a value is above a limit, 0 elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Threshold")
@dataclass(frozen=True, slots=True)
class Threshold(base.Layer[None]):
    """Tell which values are above a threshold.

    Formula:
        y = 1 if x > threshold else 0
    Bottoms:
        x: any shape; it gets no gradient
    Tops:
        y: same as x
    Cost:
        1 operation a value
    Source:
        caffe/src/caffe/layers/threshold_layer.cpp

    Differences from Caffe:
        Where a loss depends on the bottom through this layer alone, its gradient is left out;
        Caffe stops.

    Attributes:
        threshold: what is equal to it is not above it.

    Example:
        >>> Threshold(0.5).shapes(((2, 3),))
        ((2, 3),)
    """

    threshold: float = 0.0

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False
    reads_tops = False
    no_gradient = (0,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `threshold_param`."""
        del phase
        return cls(message.threshold_param.threshold)

    def settings(self) -> str:
        """The threshold: `> 0.5`."""
        return f"> {self.threshold:g}"

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = 1 if x > threshold else 0."""
        np.greater(run.bottom(0), self.threshold, out=run.top(0))
