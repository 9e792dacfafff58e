"""Power: shift and scale, then a power."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Power")
@dataclass(frozen=True, slots=True)
class Power(base.Layer[None]):
    """Shift and scale every value and raise it to a power.

    Formula:
        y = (shift + scale * x) ** power
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        2 flops a value and the power, which costs as much as ten where it is not 1, 2, 0.5 or -1;
        where power is not 1, shift + scale * x is saved for backward
    Source:
        caffe/src/caffe/layers/power_layer.cpp

    Differences from Caffe:
        The gradient is right in place too, where Caffe uses the x it has written over, and at
        shift + scale * x = 0, where Caffe divides 0 by 0.

    Attributes:
        power: the exponent; 0 gives 1 everywhere.
        scale: factor of x.
        shift: added to scale * x.

    Example:
        >>> Power(power=2).shapes(((2, 3),))
        ((2, 3),)
    """

    power: float = 1.0
    scale: float = 1.0
    shift: float = 0.0

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False
    reads_tops = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `power_param`."""
        del phase
        param = message.power_param
        return cls(param.power, param.scale, param.shift)

    def settings(self) -> str:
        """The formula with its numbers: `(1 + 0.5 x)^2`."""
        words = f"{self.scale:g} x" if self.scale != 1 else "x"
        words = f"{self.shift:g} + {words}" if self.shift else words
        if self.power == 1:
            return words if words != "x" else ""
        return f"({words})^{self.power:g}" if words != "x" else f"x^{self.power:g}"

    @property
    def _flat(self) -> bool:
        """Whether y does not depend on x."""
        return self.power * self.scale == 0

    @property
    def _linear(self) -> bool:
        return self.power == 1 or self._flat

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What is raised to the power, and scratch for a block."""
        if self._linear or not site.backward:
            return {}
        return {
            "base": base.Buffer(site.bottoms[0], saved=True),
            "scratch": base.Buffer((block_size(site.bottoms[0]),)),
        }

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = (shift + scale * x) ** power."""
        x, y = run.bottom(0), run.top(0)
        if self._flat:
            y.fill(1.0 if self.power == 0 else np.power(self.shift, self.power))
            return
        saves = not self._linear and run.site.backward
        for xs, ys, inner in blocks(x, y, run.buffer("base") if saves else y):
            np.multiply(xs, self.scale, out=inner)
            if self.shift:
                np.add(inner, self.shift, out=inner)
            _raise(inner, self.power, ys)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * power * scale * (shift + scale * x) ** (power - 1)."""
        dy, dx = run.top_diff(0), run.bottom_diff(0)
        if dx is None:
            return
        if self._flat:
            dx.fill(0)
        elif self._linear:
            np.multiply(dy, self.scale, out=dx)
        else:
            for inner, dys, dxs in blocks(run.buffer("base"), dy, dx):
                slope = run.buffer("scratch")[: inner.size]
                _raise(inner, self.power - 1, slope)
                np.multiply(slope, self.power * self.scale, out=slope)
                np.multiply(dys, slope, out=dxs)


def _raise(x: base.Array, power: float, y: base.Array) -> None:
    """y = x ** power, without the general power where there is something faster."""
    if power == 1:
        if y is not x:
            np.copyto(y, x)
    elif power == 2:
        np.multiply(x, x, out=y)
    elif power == 0.5:
        np.sqrt(x, out=y)
    elif power == -1:
        np.reciprocal(x, out=y)
    else:
        np.power(x, power, out=y)
