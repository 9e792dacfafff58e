"""SigmoidCrossEntropyLoss: how wrong the scores of many yes-or-no questions are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError
from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.loss_param import divisor, read_loss_param, same_batch

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("SigmoidCrossEntropyLoss")
@dataclass(frozen=True, slots=True)
class SigmoidCrossEntropyLoss(base.Layer[None]):
    """The cross entropy of sigmoid(x) and targets between 0 and 1.

    Formula:
        loss = sum(max(x, 0) - x * t + log(1 + exp(-|x|))) / divisor
    Bottoms:
        x: scores, any shape
        t: targets from 0 to 1, as many as x with the same batch
    Tops:
        loss: scalar
    Cost:
        forward 1 exp and 1 log, backward 1 tanh a value
    Source:
        caffe/src/caffe/layers/sigmoid_cross_entropy_loss_layer.cpp

    Attributes:
        ignore_label: target of values that do not count; None for none.
        normalization: the divisor, at least 1: BATCH_SIZE, the batch, which is the default here
            unlike in SoftmaxWithLoss; FULL, all values; VALID, those that count; NONE, 1.

    Example:
        >>> SigmoidCrossEntropyLoss().shapes(((2, 3), (2, 3)))
        ((),)
    """

    ignore_label: int | None = None
    normalization: str = "BATCH_SIZE"

    bottom_count = (2, 2)
    reads_tops = False
    loss = True
    no_gradient = (1,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `loss_param`."""
        del phase
        return cls(*read_loss_param(message, "BATCH_SIZE"))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar.

        Raises:
            BottomError: there is not one target for each score.
        """
        same_batch(bottoms)
        x, t = bottoms
        if prod(x) != prod(t):
            raise BottomError(
                1,
                f"is {show(t)}, {prod(t)} targets for {prod(x)} scores",
                "each score needs a target from 0 to 1; for one class out of many, "
                "use SoftmaxWithLoss",
            )
        return ((),)

    def settings(self) -> str:
        """What is not usual."""
        words = [f"ignore {self.ignore_label}"] if self.ignore_label is not None else []
        words += [self.normalization.lower()] if self.normalization != "BATCH_SIZE" else []
        return " ".join(words)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block, and what the sum was divided by."""
        block = (block_size(site.bottoms[0]),)
        return {
            "scratch": base.Buffer(block),
            "second": base.Buffer(block),
            "divisor": base.Buffer((), np.float64, saved=True),
        }

    def forward(self, run: base.Forward[None]) -> None:
        """Set loss = sum(max(x, 0) - x * t + log(1 + exp(-|x|))) / divisor."""
        x, target = run.bottom(0), run.bottom(1).reshape(run.bottom(0).shape)
        total, count = 0.0, x.size
        for xs, t in blocks(x, target):
            part, second = run.buffer("scratch")[: xs.size], run.buffer("second")[: xs.size]
            np.abs(xs, out=part)
            np.negative(part, out=part)
            np.exp(part, out=part)
            np.log1p(part, out=part)
            np.maximum(xs, 0, out=second)
            np.add(part, second, out=part)
            np.multiply(xs, t, out=second)
            np.subtract(part, second, out=part)
            if self.ignore_label is not None:
                ignored = self._ignored(t)
                count -= int(np.count_nonzero(ignored))
                np.copyto(part, 0, where=ignored)
            total += float(np.add.reduce(part))
        by = divisor(self.normalization, x.size, count, x.shape[0])
        run.buffer("divisor")[...] = by
        run.top(0)[...] = total / by

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = loss_weight / divisor * (sigmoid(x) - t), 0 where t is ignored."""
        x, dx = run.bottom(0), run.bottom_diff(0)
        if dx is None:
            return
        factor = float(run.top_diff(0)) / float(run.buffer("divisor"))
        for xs, t, dxs in blocks(x, run.bottom(1).reshape(x.shape), dx):
            np.multiply(xs, 0.5, out=dxs)
            np.tanh(dxs, out=dxs)
            np.multiply(dxs, 0.5, out=dxs)
            np.add(dxs, 0.5, out=dxs)  # sigmoid(x), without an exp that overflows
            np.subtract(dxs, t, out=dxs)
            np.multiply(dxs, factor, out=dxs)
            if self.ignore_label is not None:
                np.copyto(dxs, 0, where=self._ignored(t))

    def _ignored(self, target: base.Array) -> base.Array:
        """Which targets are the ignored one, fractions cut off as in Caffe."""
        assert self.ignore_label is not None
        ignored: base.Array = np.trunc(target) == self.ignore_label
        return ignored
