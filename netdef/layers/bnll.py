"""BNLL: a ReLU with a round corner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdef.kernels.blocks import block_size, blocks, zeros
from netdef.layers import base


@base.layer("BNLL")
@dataclass(frozen=True, slots=True)
class BNLL(base.Layer[None]):
    """The binomial normal log likelihood, also known as softplus.

    Formula:
        y = log(1 + exp(x)), computed as max(x, 0) + log(1 + exp(-|x|)) like Caffe does
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 exponential, 1 logarithm and 4 flops a value; backward works from y
    Source:
        caffe/src/caffe/layers/bnll_layer.cpp

    Differences from Caffe:
        The gradient is right in place too, where Caffe uses the x it has written over.

    Example:
        >>> BNLL().shapes(((2, 3),))
        ((2, 3),)
    """

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block."""
        return {"scratch": base.Buffer((block_size(site.bottoms[0]),))}

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = max(x, 0) + log(1 + exp(-|x|))."""
        for x, y in blocks(run.bottom(0), run.top(0)):
            rest = run.buffer("scratch")[: x.size]
            np.absolute(x, out=rest)
            np.negative(rest, out=rest)
            np.exp(rest, out=rest)
            np.log1p(rest, out=rest)
            np.maximum(x, zeros(x.size, x.dtype), out=y)
            np.add(y, rest, out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * (1 - exp(-y)), which is dy * sigmoid(x)."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for y, dy, part in blocks(run.top(0), run.top_diff(0), dx):
            slope = run.buffer("scratch")[: y.size]
            np.negative(y, out=slope)
            np.expm1(slope, out=slope)
            np.negative(slope, out=slope)
            np.multiply(dy, slope, out=part)
