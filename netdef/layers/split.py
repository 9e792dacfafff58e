"""Split: one blob for several readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Split")
@dataclass(frozen=True, slots=True)
class Split(base.Layer[None]):
    """Give a blob several names; the gradients by them are summed.

    Caffe puts one behind every blob that several layers read; a net need not write it.

    Formula:
        y0 = y1 = … = x
    Bottoms:
        x: any shape
    Tops:
        y0, y1, …: same as x
    Cost:
        nothing forward; backward 1 flop a value and top but the first
    Source:
        caffe/src/caffe/layers/split_layer.cpp

    Attributes:
        tops: how many names.

    Example:
        >>> Split(2).shapes(((2, 3),))
        ((2, 3), (2, 3))
    """

    tops: int = 1

    layout = base.ANY
    top_count = (1, None)
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Count the tops."""
        del phase
        return cls(len(message.top))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's, for each top."""
        return bottoms * self.tops

    def is_view(self, bottoms: base.Shapes) -> bool:
        """Always."""
        del bottoms
        return True

    def forward(self, run: base.Forward[None]) -> None:
        """Copy, where the plan has not made the tops views."""
        for y in run.tops:
            np.copyto(y, run.bottom(0))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy0 + dy1 + …."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        dys = run.top_diffs
        if run.adds(0):
            rest = dys
        elif len(dys) == 1:
            np.copyto(dx, dys[0])
            return
        else:
            np.add(dys[0], dys[1], out=dx)
            rest = dys[2:]
        for dy in rest:
            np.add(dx, dy, out=dx)
