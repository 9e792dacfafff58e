"""Swish: values weighed by their own sigmoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Swish")
@dataclass(frozen=True, slots=True)
class Swish(base.Layer[None]):
    """Multiply every value by its sigmoid.

    Formula:
        y = x * sigmoid(beta * x)
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 tanh and 4 flops a value; for backward 4 more, and the slope is saved
    Source:
        caffe/src/caffe/layers/swish_layer.cpp

    Attributes:
        beta: how steep the sigmoid is; 0 halves every value.

    Example:
        >>> Swish().shapes(((2, 3),))
        ((2, 3),)
    """

    beta: float = 1.0

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False
    reads_tops = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `swish_param`."""
        del phase
        return cls(message.swish_param.beta)

    def settings(self) -> str:
        """How steep, where it is not the usual."""
        return f"β{self.beta:g}" if self.beta != 1 else ""

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The slope at each x, and scratch for a block."""
        needs = {"sigmoid": base.Buffer((block_size(site.bottoms[0]),))}
        if site.backward:
            needs["slope"] = base.Buffer(site.bottoms[0], saved=True)
        return needs

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = x * sigmoid(beta * x), and save its slope."""
        saves = run.site.backward
        y = run.top(0)
        for xs, ys, slope in blocks(run.bottom(0), y, run.buffer("slope") if saves else y):
            sigmoid = run.buffer("sigmoid")[: xs.size]
            np.multiply(xs, 0.5 * self.beta, out=sigmoid)
            np.tanh(sigmoid, out=sigmoid)
            np.multiply(sigmoid, 0.5, out=sigmoid)
            np.add(sigmoid, 0.5, out=sigmoid)
            np.multiply(xs, sigmoid, out=ys)
            if saves:  # sigmoid + beta * y * (1 - sigmoid)
                np.subtract(1, sigmoid, out=slope)
                np.multiply(slope, ys, out=slope)
                np.multiply(slope, self.beta, out=slope)
                np.add(slope, sigmoid, out=slope)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * (sigmoid + beta * y * (1 - sigmoid))."""
        dx = run.bottom_diff(0)
        if dx is not None:
            np.multiply(run.top_diff(0), run.buffer("slope"), out=dx)
