"""Exp: a base raised to every value."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.blocks import blocks
from netdef.layers.base import ANY, Backward, Forward, Layer, Phase, layer

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@layer("Exp")
@dataclass(frozen=True, slots=True)
class Exp(Layer[None]):
    """Raise a base to scaled and shifted values.

    Formula:
        y = base ** (shift + scale * x)
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        1 exponential and 2 flops a value; backward works from y
    Source:
        caffe/src/caffe/layers/exp_layer.cpp

    Attributes:
        base: above 0; -1 for e.
        scale: factor of x.
        shift: added to scale * x.

    Example:
        >>> Exp(base=2).shapes(((2, 3),))
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
        """Read `exp_param`.

        Raises:
            FieldError: the base has no logarithm.
        """
        del phase
        param = message.exp_param
        if param.base != -1 and not 0 < param.base < float("inf"):
            raise FieldError(
                "exp_param.base", f"must be above 0, is {param.base:g}", "write -1 for e"
            )
        return cls(param.base, param.scale, param.shift)

    def settings(self) -> str:
        """The formula with its numbers: `2^(1 + 0.5 x)`."""
        words = f"{self.scale:g} x" if self.scale != 1 else "x"
        words = f"{self.shift:g} + {words}" if self.shift else words
        plain = words == "x"
        name = "e" if self.base == -1 else f"{self.base:g}"
        return f"{name}^x" if plain else f"{name}^({words})"

    @property
    def _rate(self) -> float:
        """Factor of x in the exponent of e."""
        return self.scale if self.base == -1 else self.scale * log(self.base)

    def forward(self, run: Forward[None]) -> None:
        """Set y = base ** shift * exp(log(base) * scale * x)."""
        outer = exp(self.shift) if self.base == -1 else self.base**self.shift
        for x, y in blocks(run.bottom(0), run.top(0)):
            np.multiply(x, self._rate, out=y)
            np.exp(y, out=y)
            if outer != 1:
                np.multiply(y, outer, out=y)

    def backward(self, run: Backward[None]) -> None:
        """Set dx = dy * y * log(base) * scale."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        for y, dy, part in blocks(run.top(0), run.top_diff(0), dx):
            np.multiply(dy, y, out=part)
            np.multiply(part, self._rate, out=part)
