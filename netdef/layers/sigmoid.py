"""Sigmoid: from any number to between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base


@base.layer("Sigmoid")
@dataclass(frozen=True, slots=True)
class Sigmoid(base.Layer[None]):
    """The logistic function.

    Formula:
        y = 1 / (1 + exp(-x)), computed as 0.5 * tanh(0.5 * x) + 0.5 like Caffe does
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 tanh and 3 flops a value; backward works from y
    Source:
        caffe/src/caffe/layers/sigmoid_layer.cpp

    Example:
        >>> Sigmoid().shapes(((2, 3),))
        ((2, 3),)
    """

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block."""
        return {"scratch": base.Buffer((block_size(site.bottoms[0]),))} if site.backward else {}

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = 0.5 * tanh(0.5 * x) + 0.5."""
        for x, y in blocks(run.bottom(0), run.top(0)):
            np.multiply(x, 0.5, out=y)
            np.tanh(y, out=y)
            np.multiply(y, 0.5, out=y)
            np.add(y, 0.5, out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * y * (1 - y)."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for y, dy, part in blocks(run.top(0), run.top_diff(0), dx):
            slope = run.buffer("scratch")[: y.size]
            np.subtract(1, y, out=slope)
            np.multiply(slope, y, out=slope)
            np.multiply(dy, slope, out=part)
