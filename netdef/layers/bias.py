"""Bias: something to add for each channel, learned or from another bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.kernels.along import Along
from netdef.layers import base
from netdef.layers.filler import ZEROS, Filler
from netdef.layers.operand import (
    check_num_axes,
    operand,
    operand_along,
    operand_layout,
    sum_into,
)

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "bias_param"


@base.layer("Bias")
@dataclass(frozen=True, slots=True)
class Bias(base.Layer[Along]):
    """Add what lies along some axes to all that lies along the others.

    Formula:
        y = x + bias, repeated over the axes that it does not lie along
    Bottoms:
        x: any shape
        bias: sizes of x from `axis` on, as many as it has axes; a scalar fits everywhere. Where
        there is none it is a param
    Tops:
        y: same as x
    Params:
        bias: sizes of x, `num_axes` from `axis` on; for one bottom only
    Cost:
        1 operation a value, and 1 backward; nothing is saved
    Source:
        caffe/src/caffe/layers/bias_layer.cpp

    Attributes:
        axis: first axis of x that the bias lies along; negative counts from the end.
        num_axes: how many axes it lies along, -1 for all to the end; of the param only.
        filler: of the param.

    Example:
        >>> [p.shape for p in Bias().params(((8, 256, 56, 56),))]
        [(256,)]
    """

    axis: int = 1
    num_axes: int = 1
    filler: Filler = ZEROS

    layout = base.CHWN
    bottom_count = (1, 2)
    in_place = True
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `bias_param`.

        Raises:
            FieldError: fewer axes than none, or no such filler.
        """
        del phase
        param = message.bias_param
        check_num_axes(param.num_axes, _PATH)
        return cls(param.axis, param.num_axes, Filler.read(param.filler, f"{_PATH}.filler"))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The first bottom's shape.

        Raises:
            FieldError: the param reaches beyond the bottom.
            BottomError: the second bottom does not fit the first.
        """
        _, shape = self._operand(bottoms)
        self.filler.check(shape, f"{_PATH}.filler")
        return bottoms[:1]

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """The bias, unless a bottom brings it."""
        _, shape = self._operand(bottoms)
        return (base.Learned("bias", shape, self.filler),) if len(bottoms) == 1 else ()

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Batch innermost where images share the param, or each has a bias of its own."""
        start, shape = self._operand(bottoms)
        return operand_layout(start, shape, len(bottoms), learned=len(bottoms) == 1)

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part | None:
        """Where each channel has one learned value."""
        if len(bottoms) > 1 or self.axis % len(bottoms[0]) != 1 or self.num_axes != 1:
            return None
        return base.Part(self, (low, high), (True,))

    def prepare(self, run: base.Forward[Along]) -> Along:
        """Cut the work into pieces."""
        return operand_along(run.site, self.axis, self.num_axes, _PATH)

    def forward(self, run: base.Forward[Along]) -> None:
        """Set y = x + bias."""
        along = run.work
        x, y = along.large(run.bottom(0)), along.large(run.top(0))
        bias = along.small(run.bottom(1) if len(run.bottoms) > 1 else run.param(0))
        for large, small in along.pieces:
            np.add(x[large], bias[small], out=y[large])

    def backward(self, run: base.Backward[Along]) -> None:
        """Set dbias = sum(dy) and dx = dy."""
        along = run.work
        if len(run.bottoms) > 1:
            dbias = sum_into(along, run.bottom_diff(1), adds=run.adds(1))
        else:
            dbias = sum_into(along, run.param_diff(0))
        dy, written = along.large(run.top_diff(0)), run.bottom_diff(0)
        dx = None if written is None else along.large(written)
        for large, small in along.pieces:
            if dbias is not None:
                along.add_sum(dy[large], dbias[small])
            if dx is None:
                continue
            if run.adds(0):
                np.add(dx[large], dy[large], out=dx[large])
            elif written is not run.top_diff(0):
                np.copyto(dx[large], dy[large])

    def _operand(self, bottoms: base.Shapes) -> tuple[int, base.Shape]:
        return operand(bottoms, self.axis, self.num_axes, _PATH)
