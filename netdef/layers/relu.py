"""ReLU: what is negative becomes 0, or is scaled down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.kernels.blocks import block_size, blocks, zeros
from netdef.layers import base
from netdef.layers.affine import Rectify

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("ReLU")
@dataclass(frozen=True, slots=True)
class ReLU(base.Layer[None]):
    """Keep positive values, scale negative ones.

    Formula:
        y = max(x, 0) + negative_slope * min(x, 0)
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 flop a value; backward works from y, so x need not be kept
    Source:
        caffe/src/caffe/layers/relu_layer.cpp

    Differences from Caffe:
        A negative slope below 0 gives the right gradient in place too: there the sign of x is
        not that of y, and is saved.

    Attributes:
        negative_slope: factor of what is negative; 0 in the plain ReLU.

    Example:
        >>> ReLU().shapes(((2, 3),))
        ((2, 3),)
    """

    negative_slope: float = 0.0

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False
    any_block = True
    kinks = (0.0,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `relu_param`."""
        del phase
        return cls(message.relu_param.negative_slope)

    def settings(self) -> str:
        """The slope of a leaky one."""
        return f"slope {self.negative_slope:g}" if self.negative_slope else ""

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block; where y does not tell the sign of x, that sign."""
        block = (block_size(site.bottoms[0]),)
        needs = {"low": base.Buffer(block, np.bool_)} if site.backward else {}
        if self.negative_slope:
            needs["scratch"] = base.Buffer(block)
        if self.negative_slope < 0 and site.backward:
            needs["signs"] = base.Buffer(site.bottoms[0], np.bool_, saved=True)
        return needs

    def has_epilogue(self, site: base.Site) -> bool:
        """The plain one."""
        del site
        return not self.negative_slope

    def epilogue(self, run: base.Forward[None]) -> base.Epilogue:
        """Take the maximum with 0."""
        return Rectify(run.site.dtype)

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = max(x, 0) + negative_slope * min(x, 0)."""
        x, y, slope = run.bottom(0), run.top(0), self.negative_slope
        if slope < 0 and run.site.backward:
            np.less_equal(x, 0, out=run.buffer("signs"))
        for xs, ys in blocks(x, y):
            none = zeros(xs.size, xs.dtype)
            if not slope:
                np.maximum(xs, none, out=ys)
                continue
            below = run.buffer("scratch")[: xs.size]
            np.minimum(xs, none, out=below)
            np.multiply(below, slope, out=below)
            np.maximum(xs, none, out=ys)
            np.add(ys, below, out=ys)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy where x > 0, negative_slope * dy elsewhere."""
        y, dy, dx = run.top(0), run.top_diff(0), run.bottom_diff(0)
        slope = self.negative_slope
        if dx is None:
            return
        if not slope and run.site.fast and all(a.flags.c_contiguous for a in (y, dy, dx)):
            from netdef.kernels.fast.rectify import rectify_back  # compiles, so only if asked

            rectify_back(y.reshape(-1), dy.reshape(-1), dx.reshape(-1))
            return
        if not slope:
            for ys, dys, dxs in blocks(y, dy, dx):
                high = run.buffer("low")[: ys.size]
                np.greater(ys, 0, out=high)
                np.multiply(dys, high, out=dxs)
            return
        source = run.buffer("signs") if slope < 0 else y
        for part, dys, dxs in blocks(source, dy, dx):
            low, factor = run.buffer("low")[: part.size], run.buffer("scratch")[: part.size]
            if slope < 0:
                np.copyto(low, part)
            else:
                np.less_equal(part, 0, out=low)
            np.multiply(low, slope, out=factor)
            np.logical_not(low, out=low)
            np.add(factor, low, out=factor)  # exactly 1 or the slope
            np.multiply(dys, factor, out=dxs)
