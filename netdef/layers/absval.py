"""AbsVal: the size of every value, without its sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base


@base.layer("AbsVal")
@dataclass(frozen=True, slots=True)
class AbsVal(base.Layer[None]):
    """Take the absolute value.

    Formula:
        y = |x|
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 operation a value, 2 backward
    Source:
        caffe/src/caffe/layers/absval_layer.cpp

    Differences from Caffe:
        The top may have the bottom's name, which Caffe refuses.

    Example:
        >>> AbsVal().shapes(((2, 3),))
        ((2, 3),)
    """

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_tops = False
    kinks = (0.0,)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block."""
        return {"sign": base.Buffer((block_size(site.bottoms[0]),))} if site.backward else {}

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = |x|."""
        np.absolute(run.bottom(0), out=run.top(0))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * sign(x), which is 0 at 0."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for x, dy, part in blocks(run.bottom(0), run.top_diff(0), dx):
            sign = run.buffer("sign")[: x.size]
            np.sign(x, out=sign)
            np.multiply(dy, sign, out=part)
