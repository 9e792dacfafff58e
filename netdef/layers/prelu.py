"""PReLU: what is negative is scaled by a learned slope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError
from netdef.kernels.along import Along
from netdef.kernels.blocks import zeros
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.filler import Filler

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_QUARTERS = Filler(value=0.25)


@base.layer("PReLU")
@dataclass(frozen=True, slots=True)
class PReLU(base.Layer[Along]):
    """Keep positive values, scale negative ones by the slope of their channel.

    Formula:
        y = max(x, 0) + slope * min(x, 0)
    Bottoms:
        x: (n, c, ...)
    Tops:
        y: same as x
    Params:
        slope: (c,); a scalar with channel_shared
    Cost:
        4 operations a value, 6 backward and 1 more for the slopes, and x is kept
    Source:
        caffe/src/caffe/layers/prelu_layer.cpp

    Attributes:
        channel_shared: one slope for all channels.
        filler: of the slopes; 0.25 where none is written.

    Example:
        >>> [p.shape for p in PReLU().params(((2, 3, 5),))]
        [(3,)]
    """

    channel_shared: bool = False
    filler: Filler = _QUARTERS

    layout = base.CHWN
    in_place = True
    reads_tops = False
    kinks = (0.0,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `prelu_param`.

        Raises:
            FieldError: no such filler.
        """
        del phase
        param = message.prelu_param
        filler = Filler.read(param.filler, "prelu_param.filler")
        return cls(param.channel_shared, filler if param.HasField("filler") else _QUARTERS)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's shape.

        Raises:
            BottomError: it has no axis of channels.
        """
        if len(bottoms[0]) < 2:
            raise BottomError(0, f"is {show(bottoms[0])}, and PReLU needs an axis of channels")
        self.filler.check(self._slopes(bottoms[0]), "prelu_param.filler")
        return bottoms

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """The slopes."""
        return (base.Learned("slope", self._slopes(bottoms[0]), self.filler),)

    def settings(self) -> str:
        """Whether channels share their slope."""
        return "shared" if self.channel_shared else ""

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part:
        """Channels with their slopes."""
        del bottoms
        return base.Part(self, (low, high), (not self.channel_shared,))

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a piece."""
        block = (self._along(site).block,)
        needs = {"low": base.Buffer(block)}
        if site.backward:
            needs["high"] = base.Buffer(block)
            needs["mask"] = base.Buffer(block, np.bool_)
        return needs

    def prepare(self, run: base.Forward[Along]) -> Along:
        """Cut the work into pieces."""
        return self._along(run.site)

    def forward(self, run: base.Forward[Along]) -> None:
        """Set y = max(x, 0) + slope * min(x, 0)."""
        along = run.work
        x, y = along.large(run.bottom(0)), along.large(run.top(0))
        slope = along.small(run.param(0))
        for large, small in along.pieces:
            xs, ys = x[large], y[large]
            none = zeros(xs.size, xs.dtype).reshape(xs.shape)
            below = run.buffer("low")[: xs.size].reshape(xs.shape)
            np.minimum(xs, none, out=below)
            np.multiply(below, slope[small], out=below)
            np.maximum(xs, none, out=ys)
            np.add(ys, below, out=ys)

    def backward(self, run: base.Backward[Along]) -> None:
        """Set dslope = sum(dy * min(x, 0)); dx = dy where x > 0, slope * dy elsewhere."""
        along = run.work
        x, dy = along.large(run.bottom(0)), along.large(run.top_diff(0))
        slope, written, dslope = along.small(run.param(0)), run.bottom_diff(0), run.param_diff(0)
        if dslope is not None:
            dslope.fill(0)
            dslope = along.small(dslope)
        dx = None if written is None else along.large(written)
        for large, small in along.pieces:
            xs, dys = x[large], dy[large]
            mask, high, low = (
                run.buffer(name)[: xs.size].reshape(xs.shape) for name in ("mask", "high", "low")
            )
            np.greater(xs, 0, out=mask)
            np.copyto(high, mask)  # faster than to multiply by a mask
            np.multiply(dys, high, out=high)
            np.subtract(dys, high, out=low)
            if dslope is not None:
                along.add_products(low, xs, dslope[small])
            if dx is not None:
                np.multiply(low, slope[small], out=low)
                np.add(high, low, out=dx[large])

    def _slopes(self, bottom: base.Shape) -> base.Shape:
        return () if self.channel_shared else bottom[1:2]

    def _along(self, site: base.Site) -> Along:
        shape = site.bottoms[0]
        if self.channel_shared:
            return Along((1, 1, prod(shape)), site.dtype)
        axis = 0 if site.layout is base.CHWN else 1
        large = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
        return Along(large, site.dtype)
