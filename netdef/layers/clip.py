"""Clip: values kept between two bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Clip")
@dataclass(frozen=True, slots=True)
class Clip(base.Layer[None]):
    """Replace what is below min by min, and what is above max by max.

    Formula:
        y = max(min, min(x, max))
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        2 operations a value, and one byte a value until backward
    Source:
        caffe/src/caffe/layers/clip_layer.cpp

    Differences from Caffe:
        NaN stays NaN, where Caffe makes min of it. The gradient is right in place too, where
        Caffe takes clipped values for values inside.

    Attributes:
        min: the least value.
        max: the greatest value.

    Example:
        >>> Clip(-1, 1).shapes(((2, 3),))
        ((2, 3),)
    """

    min: float
    max: float

    layout = base.ANY
    in_place = True
    channelwise = True
    reads_bottoms = False
    reads_tops = False

    @property
    def kinks(self) -> tuple[float, ...]:  # type: ignore[override]  # the bounds are settings
        """The bounds."""
        return self.min, self.max

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `clip_param`.

        Raises:
            FieldError: a bound is missing.
        """
        del phase
        param = message.clip_param
        for bound in ("min", "max"):
            if not param.HasField(bound):
                raise FieldError(f"clip_param.{bound}", "is missing", f"write the {bound}imum")
        return cls(param.min, param.max)

    def settings(self) -> str:
        """The bounds: `-1…1`."""
        return f"{self.min:g}…{self.max:g}"

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Which values are inside, and scratch for a block."""
        if not site.backward:
            return {}
        return {
            "inside": base.Buffer(site.bottoms[0], np.bool_, saved=True),
            "scratch": base.Buffer((block_size(site.bottoms[0]),), np.bool_),
        }

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = max(min, min(x, max))."""
        x, y = run.bottom(0), run.top(0)
        if run.site.backward:
            for xs, inside in blocks(x, run.buffer("inside")):
                scratch = run.buffer("scratch")[: xs.size]
                np.greater_equal(xs, self.min, out=inside)
                np.less_equal(xs, self.max, out=scratch)
                np.logical_and(inside, scratch, out=inside)
        for xs, ys in blocks(x, y):
            np.minimum(xs, self.max, out=ys)
            np.maximum(ys, self.min, out=ys)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy where min <= x <= max, 0 elsewhere."""
        dx = run.bottom_diff(0)
        if dx is not None:
            for dys, inside, part in blocks(run.top_diff(0), run.buffer("inside"), dx):
                np.multiply(dys, inside, out=part)
