"""Dropout: forget some values at random while training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.blocks import BLOCK, blocks
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_LEVELS = 1 << 16  # of a 16 bit random number, four of which come from one draw


@base.layer("Dropout")
@dataclass(frozen=True, slots=True)
class Dropout(base.Layer[None]):
    """Set values to 0 with a given chance and scale up the others; change nothing in a test.

    Formula:
        y = x * mask / (1 - dropout_ratio), mask 0 with the chance dropout_ratio, else 1; TRAIN
        y = x; TEST
    Bottoms:
        x: any shape
    Tops:
        y: same as x
    Cost:
        TRAIN: 16 random bits and 2 flops a value, and one byte a value until backward
    Source:
        caffe/src/caffe/layers/dropout_layer.cpp

    Differences from Caffe:
        The chance is rounded to a multiple of 1/65536, so it is off by less than 8e-6 (0.5 and
        0.25 are exact); Caffe's is off by less than 3e-10. The random numbers are others.
        A ratio outside 0 to 1 is refused; Caffe, built for release, divides by 0 or worse.

    Attributes:
        dropout_ratio: chance of a value to be dropped.
        train: whether anything is dropped: the net is in TRAIN phase.

    Example:
        >>> Dropout(0.4).shapes(((2, 3),))
        ((2, 3),)
    """

    dropout_ratio: float = 0.5
    train: bool = True

    layout = base.ANY
    in_place = True
    reads_bottoms = False
    reads_tops = False
    random = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `dropout_param`.

        Raises:
            FieldError: the ratio is no chance below 1.
        """
        ratio = message.dropout_param.dropout_ratio
        if not 0 <= ratio < 1:
            raise FieldError(
                "dropout_param.dropout_ratio",
                f"must be at least 0 and below 1, is {ratio:g}",
                f"write `dropout_ratio: {ratio / 100:g}` for {ratio:g} %"
                if 1 < ratio < 100
                else "write `dropout_ratio: 0.5` to drop every second value",
            )
        return cls(ratio, phase is base.Phase.TRAIN)

    def settings(self) -> str:
        """The ratio."""
        return f"{self.dropout_ratio:g}"

    def is_view(self, bottoms: base.Shapes) -> bool:
        """A test changes nothing."""
        del bottoms
        return not self.train

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What was kept."""
        if not self.train:
            return {}
        return {"kept": base.Buffer(site.bottoms[0], np.bool_, saved=True)}

    def forward(self, run: base.Forward[None]) -> None:
        """Set y = x * kept / (1 - dropout_ratio)."""
        x, y = run.bottom(0), run.top(0)
        if not self.train:
            if y is not x:
                np.copyto(y, x)
            return
        random, scale = run.random, 1 / (1 - self.dropout_ratio)
        # the chance never rounds to 1: at least one level is kept
        least = min(round(self.dropout_ratio * _LEVELS), _LEVELS - 1)
        for xs, ys, kept in blocks(x, y, run.buffer("kept"), size=BLOCK):
            # one 64 bit number holds four levels; `bytes` and 16 bit integers take twice as long
            words = random.integers(0, 2**64 - 1, -(-xs.size // 4), np.uint64, endpoint=True)
            np.greater_equal(words.view(np.uint16)[: xs.size], least, out=kept)
            np.multiply(xs, kept, out=ys)
            np.multiply(ys, scale, out=ys)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy * kept / (1 - dropout_ratio)."""
        dy, dx = run.top_diff(0), run.bottom_diff(0)
        if dx is None:
            return
        if not self.train:
            if dx is not dy:
                np.copyto(dx, dy)
            return
        scale = 1 / (1 - self.dropout_ratio)
        for dys, dxs, kept in blocks(dy, dx, run.buffer("kept")):
            np.multiply(dys, kept, out=dxs)
            np.multiply(dxs, scale, out=dxs)
