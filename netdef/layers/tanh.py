"""TanH: from any number to between -1 and 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base


@base.layer("TanH")
@dataclass(frozen=True, slots=True)
class TanH(base.Layer[None]):
    """The hyperbolic tangent.

    Formula:
        y = tanh(x)
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 tanh a value; backward works from y
    Source:
        caffe/src/caffe/layers/tanh_layer.cpp

    Example:
        >>> TanH().shapes(((2, 3),))
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
        """Set y = tanh(x)."""
        np.tanh(run.bottom(0), out=run.top(0))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * (1 - y * y)."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for y, dy, part in blocks(run.top(0), run.top_diff(0), dx):
            slope = run.buffer("scratch")[: y.size]
            np.multiply(y, y, out=slope)
            np.subtract(1, slope, out=slope)
            np.multiply(dy, slope, out=part)
