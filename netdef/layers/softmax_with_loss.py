"""SoftmaxWithLoss: how wrong the scores of classes are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError
from netdef.kernels.classes import places
from netdef.kernels.softmax import softmax
from netdef.layers import base
from netdef.layers.axes import axis_of, show
from netdef.layers.loss_param import SMALLEST, divisor, read_labels, read_loss_param, same_batch

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("SoftmaxWithLoss")
@dataclass(frozen=True, slots=True)
class SoftmaxWithLoss(base.Layer[base.Array]):
    """The mean of -log of the probability that the scores give to the label.

    Formula:
        p = softmax(x) along the axis
        loss = sum(-log(max(p[label], 1.1755e-38))) / divisor, over labels that are not ignored
    Bottoms:
        x: scores, any shape with the axis: N×C, N×C×H×W
        label: a whole number from 0 to C-1 for each position: N, N×H×W; 1s anywhere
    Tops:
        loss: scalar
        p: same as x; optional, no gradient flows into it
    Cost:
        1 exp and 4 flops a value; x need not be kept, p is
    Source:
        caffe/src/caffe/layers/softmax_loss_layer.cpp

    A probability of 0 costs 87.3365: that number means that the scores have run away.

    Differences from Caffe:
        A label that is no class stops the run; Caffe reads another array's memory.

    Attributes:
        axis: of the classes; negative counts from the end.
        ignore_label: label of positions that do not count; None for none.
        normalization: the divisor, at least 1: FULL, all positions; VALID, those that count;
            BATCH_SIZE, the axes before the classes', that is the batch; NONE, 1.
        tops: 2 to have the probabilities too.

    Example:
        >>> SoftmaxWithLoss().shapes(((2, 3, 5), (2, 5)))
        ((),)
    """

    axis: int = 1
    ignore_label: int | None = None
    normalization: str = "VALID"
    tops: int = 1

    bottom_count = (2, 2)
    top_count = (1, 2)
    reads_bottoms = False
    reads_tops = False
    loss = True
    no_gradient = (1,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `softmax_param` and `loss_param`."""
        del phase
        ignore, mode = read_loss_param(message, "VALID")
        return cls(message.softmax_param.axis, ignore, mode, len(message.top))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar, and the scores' shape.

        Raises:
            BottomError: there is not one label for each position.
            FieldError: there is no such axis.
        """
        same_batch(bottoms)
        x, label = bottoms
        axis = axis_of(self.axis, x, "softmax_param.axis")
        positions = (*x[:axis], *x[axis + 1 :])
        if prod(label) != prod(positions):
            raise BottomError(
                1,
                f"is {show(label)}, {prod(label)} labels for {prod(positions)} positions",
                f"scores of {show(x)} with classes along axis {axis} need labels of "
                f"{show(positions)}",
            )
        return ((), x)[: self.tops]

    def settings(self) -> str:
        """What is not usual."""
        words = [f"axis {self.axis}"] if self.axis != 1 else []
        words += [f"ignore {self.ignore_label}"] if self.ignore_label is not None else []
        words += [self.normalization.lower()] if self.normalization != "VALID" else []
        return " ".join(words)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The probabilities, where the labels' are among them, what each position counts."""
        ones = self._one_class(site)
        return {
            "probability": base.Buffer(site.bottoms[0], saved=site.backward),
            "index": base.Buffer((prod(ones),), np.int64, saved=site.backward),
            "share": base.Buffer(ones, saved=site.backward),
            "peak": base.Buffer(ones),
        }

    def _one_class(self, site: base.Site) -> base.Shape:
        """The scores' shape with one class."""
        x = list(site.bottoms[0])
        x[self.axis] = 1
        return tuple(x)

    def prepare(self, run: base.Forward[base.Array]) -> base.Array:
        """Where class 0 of each position lies."""
        x = run.site.bottoms[0]
        return places(x, self.axis % len(x))

    def forward(self, run: base.Forward[base.Array]) -> None:
        """Set loss = sum(-log(p[label])) / divisor."""
        x, probability, index = run.bottom(0), run.buffer("probability"), run.buffer("index")
        axis = self.axis % x.ndim
        softmax(x, axis, run.buffer("peak"), probability)
        labels, valid = read_labels(run.bottom(1), x.shape[axis], self.ignore_label)
        np.multiply(labels, prod(x.shape[axis + 1 :]), out=index)
        np.add(index, run.work, out=index)
        losses = np.take(probability.reshape(-1), index)
        np.maximum(losses, SMALLEST, out=losses)
        np.log(losses, out=losses)
        share = run.buffer("share").reshape(-1)
        count = labels.size if valid is None else int(np.count_nonzero(valid))
        by = divisor(self.normalization, labels.size, count, prod(x.shape[:axis]))
        share.fill(1 / by)
        if valid is not None:
            np.multiply(share, valid, out=share)
            losses = losses[valid]
        run.top(0)[...] = -float(np.add.reduce(losses, dtype=np.float64)) / by
        if len(run.tops) > 1:
            np.copyto(run.top(1), probability)

    def backward(self, run: base.Backward[base.Array]) -> None:
        """Set dx = loss_weight / divisor * (p - 1 at the label), 0 where it is ignored."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        probability, index = run.buffer("probability"), run.buffer("index")
        factor = np.multiply(run.buffer("share"), run.top_diff(0), out=run.buffer("peak"))
        flat = probability.reshape(-1)
        right = flat[index]
        flat[index] = right - 1
        np.multiply(probability, factor, out=dx)
        flat[index] = right  # a second backward needs the probabilities again
