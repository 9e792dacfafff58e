"""ELU: what is negative bends towards a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.kernels.blocks import block_size, blocks, zeros
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("ELU")
@dataclass(frozen=True, slots=True)
class ELU(base.Layer[None]):
    """Keep positive values, bend negative ones towards -alpha.

    Formula:
        y = max(x, 0) + alpha * (exp(min(x, 0)) - 1)
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 exponential and 4 flops a value; backward works from y, so x need not be kept, but for
        an alpha below 0
    Source:
        caffe/src/caffe/layers/elu_layer.cpp

    Differences from Caffe:
        An alpha below 0 gives the right gradient in place too: there the sign of x is not that
        of y, and x is kept.

    Attributes:
        alpha: negative values end up at -alpha.

    Example:
        >>> ELU().shapes(((2, 3),))
        ((2, 3),)
    """

    alpha: float = 1.0

    layout = base.ANY
    in_place = True
    channelwise = True
    kinks = (0.0,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `elu_param`."""
        del phase
        return cls(message.elu_param.alpha)

    @property
    def reads_bottoms(self) -> bool:  # type: ignore[override]  # y tells the sign of x, mostly
        """Backward reads the bottom where y does not tell the sign of x."""
        return self.alpha < 0

    def settings(self) -> str:
        """The limit, where it is not the usual one."""
        return f"α{self.alpha:g}" if self.alpha != 1 else ""

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block."""
        block = (block_size(site.bottoms[0]),)
        needs = {"scratch": base.Buffer(block)}
        if site.backward:
            needs["high"] = base.Buffer(block, np.bool_)
        return needs

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = max(x, 0) + alpha * (exp(min(x, 0)) - 1)."""
        for x, y in blocks(run.bottom(0), run.top(0)):
            below, none = run.buffer("scratch")[: x.size], zeros(x.size, x.dtype)
            np.minimum(x, none, out=below)
            np.expm1(below, out=below)
            np.multiply(below, self.alpha, out=below)
            np.maximum(x, none, out=y)
            np.add(y, below, out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy where x > 0, (y + alpha) * dy elsewhere."""
        dx, y = run.bottom_diff(0), run.top(0)
        if dx is None:
            return
        source = run.bottom(0) if self.alpha < 0 else y
        for signs, ys, dy, part in blocks(source, y, run.top_diff(0), dx):
            slope, high = run.buffer("scratch")[: ys.size], run.buffer("high")[: ys.size]
            np.less_equal(signs, 0, out=high)
            np.add(ys, self.alpha, out=slope)
            np.multiply(slope, high, out=slope)
            np.logical_not(high, out=high)
            np.add(slope, high, out=slope)
            np.multiply(dy, slope, out=part)
