"""Log: the logarithm of every value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.blocks import block_size, blocks
from netdef.layers.base import ANY, Backward, Buffer, Forward, Layer, Phase, Site, layer

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@layer("Log")
@dataclass(frozen=True, slots=True)
class Log(Layer[None]):
    """Take the logarithm of scaled and shifted values.

    Formula:
        y = log(shift + scale * x) / log(base)
    Bottoms:
        x: any shape; where shift + scale * x is below 0, y is NaN
    Tops:
        y: same as x
    Cost:
        1 logarithm and 3 flops a value; backward 1 exponential, and works from y
    Source:
        caffe/src/caffe/layers/log_layer.cpp

    Differences from Caffe:
        The gradient is right in place too, where Caffe uses the x it has written over. Where y
        is NaN the gradient is NaN.

    Attributes:
        base: above 0 and not 1; -1 for e.
        scale: factor of x.
        shift: added to scale * x.

    Example:
        >>> Log(base=10).shapes(((2, 3),))
        ((2, 3),)
    """

    base: float = -1.0
    scale: float = 1.0
    shift: float = 0.0

    layout = ANY
    in_place = True
    channelwise = True
    reads_bottoms = False

    @classmethod
    def read(cls, message: LayerParameter, phase: Phase) -> Self:
        """Read `log_param`.

        Raises:
            FieldError: the base has no logarithm, or that is 0.
        """
        del phase
        param = message.log_param
        if param.base != -1 and not (0 < param.base < float("inf") and param.base != 1):
            raise FieldError(
                "log_param.base",
                f"must be above 0 and not 1, is {param.base:g}",
                "write -1 for e",
            )
        return cls(param.base, param.scale, param.shift)

    def settings(self) -> str:
        """The formula with its numbers: `log10(1 + 2 x)`."""
        words = f"{self.scale:g} x" if self.scale != 1 else "x"
        words = f"{self.shift:g} + {words}" if self.shift else words
        name = "ln" if self.base == -1 else f"log{self.base:g}"
        return f"{name} x" if words == "x" else f"{name}({words})"

    @property
    def _divisor(self) -> float:
        return 1.0 if self.base == -1 else log(self.base)

    def buffers(self, site: Site) -> Mapping[str, Buffer]:
        """Scratch for a block."""
        return {"scratch": Buffer((block_size(site.bottoms[0]),))} if site.backward else {}

    def forward(self, run: Forward[None]) -> None:
        """Set y = log(shift + scale * x) / log(base)."""
        for x, y in blocks(run.bottom(0), run.top(0)):
            np.multiply(x, self.scale, out=y)
            np.add(y, self.shift, out=y)
            np.log(y, out=y)
            np.divide(y, self._divisor, out=y)

    def backward(self, run: Backward[None]) -> None:
        """Set dx = dy * scale / log(base) / (shift + scale * x), the last being base ** y."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for y, dy, part in blocks(run.top(0), run.top_diff(0), dx):
            slope = run.buffer("scratch")[: y.size]
            np.multiply(y, -self._divisor, out=slope)
            np.exp(slope, out=slope)
            np.multiply(slope, self.scale / self._divisor, out=slope)
            np.multiply(dy, slope, out=part)
