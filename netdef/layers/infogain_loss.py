"""InfogainLoss: a log loss in which some mistakes count more than others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isqrt, prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.data.errors import DataError
from netdef.diag import BottomError, FieldError
from netdef.kernels.softmax import softmax
from netdef.layers import base
from netdef.layers.axes import axis_of, show
from netdef.layers.loss_param import divisor, read_labels, read_loss_param, same_batch
from netdef.layers.multinomial_logistic_loss import LEAST

if TYPE_CHECKING:
    from netdef.data.reader import Context
    from netdef.schema import LayerParameter


@base.layer("InfogainLoss")
@dataclass(frozen=True, slots=True)
class InfogainLoss(base.OutsideLayer[None]):
    """The log loss of all classes, weighted by the row of a matrix that the label picks.

    Formula:
        p = softmax(x) along the axis
        loss = sum(-sum_k(H[label, k] * log(max(p[k], 1e-20)))) / divisor, over labels that are
            not ignored
    Bottoms:
        x: scores, any shape with the axis: N×C, N×C×H×W
        label: a whole number from 0 to C-1 for each position: N, N×H×W; 1s anywhere
        H: C×C values, rows by label; only where no `source` gives them
    Tops:
        loss: scalar
        p: same as x; optional, no gradient flows into it
    Cost:
        1 exp, 1 log and 6 flops a value; x need not be kept, p is
    Source:
        caffe/src/caffe/layers/infogain_loss_layer.cpp

    With the identity for H this is SoftmaxWithLoss.

    Differences from Caffe:
        A label that is no class stops the run; Caffe reads another array's memory.

    Attributes:
        source: path of the matrix, a BlobProto; "" where the third bottom brings it.
        axis: of the classes; negative counts from the end.
        ignore_label: label of positions that do not count; None for none.
        normalization: the divisor, at least 1: FULL, all positions; VALID, those that count;
            BATCH_SIZE, the axes before the classes', that is the batch; NONE, 1.
        tops: 2 to have the probabilities too.
        matrix: what the file holds; None where it is not read.

    Example:
        >>> InfogainLoss().shapes(((2, 3, 5), (2, 5), (3, 3)))
        ((),)
    """

    source: str = ""
    axis: int = 1
    ignore_label: int | None = None
    normalization: str = "VALID"
    tops: int = 1
    matrix: base.Array | None = field(default=None, compare=False, repr=False)

    bottom_count = (2, 3)
    top_count = (1, 2)
    reads_bottoms = False
    reads_tops = False
    loss = True
    no_gradient = (1, 2)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `infogain_loss_param` and `loss_param`.

        Raises:
            FieldError: nothing gives the matrix, or the old `normalize` is written.
        """
        del phase
        param = message.infogain_loss_param
        if len(message.bottom) < 3 and not param.source:
            raise FieldError(
                "infogain_loss_param.source",
                "is missing, and there is no third bottom",
                'write `source: "H.binaryproto"`, or give the matrix as a third bottom',
            )
        if message.loss_param.HasField("normalize"):
            raise FieldError(
                "loss_param.normalize",
                "is not for InfogainLoss",
                "write `normalization: VALID` for true, `normalization: BATCH_SIZE` for false",
            )
        ignore, mode = read_loss_param(message, "VALID")
        source = "" if len(message.bottom) > 2 else param.source
        return cls(source, param.axis, ignore, mode, len(message.top))

    def begin(self, context: Context, bottoms: base.Shapes) -> Self:
        """Read the matrix.

        Raises:
            FieldError: the file is missing or broken.
        """
        del bottoms
        if not self.source:
            return self
        from netdef.data.blob_file import read_blob
        from netdef.data.reader import find_path

        try:
            matrix = read_blob(find_path(self.source, context))
        except DataError as error:
            raise FieldError("infogain_loss_param.source", error.message, error.help) from error
        if isqrt(matrix.size) ** 2 != matrix.size:
            raise FieldError(
                "infogain_loss_param.source",
                f"is `{self.source}`, which holds {show(matrix.shape)} values, no square",
                "it needs a row and a column for each class",
            )
        return replace(self, matrix=matrix)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar, and the scores' shape.

        Raises:
            BottomError: there is not one label for each position, or the third bottom is no
                matrix of the classes.
            FieldError: there is no such axis, or the file's matrix is of other classes.
        """
        same_batch(bottoms)
        x, label = bottoms[:2]
        axis = axis_of(self.axis, x, "infogain_loss_param.axis")
        classes, positions = x[axis], (*x[:axis], *x[axis + 1 :])
        if prod(label) != prod(positions):
            raise BottomError(
                1,
                f"is {show(label)}, {prod(label)} labels for {prod(positions)} positions",
                f"scores of {show(x)} with classes along axis {axis} need labels of "
                f"{show(positions)}",
            )
        needs = f"{classes} classes need {classes}×{classes} values"
        if len(bottoms) > 2 and prod(bottoms[2]) != classes**2:
            raise BottomError(2, f"is {show(bottoms[2])}, {needs}")
        if self.matrix is not None and self.matrix.size != classes**2:
            raise FieldError(
                "infogain_loss_param.source",
                f"is `{self.source}`, which holds {show(self.matrix.shape)} values, {needs}",
            )
        return ((), x)[: self.tops]

    def settings(self) -> str:
        """What is not usual."""
        words = [self.source.rpartition("/")[2]] if self.source else []
        words += [f"axis {self.axis}"] if self.axis != 1 else []
        words += [f"ignore {self.ignore_label}"] if self.ignore_label is not None else []
        words += [self.normalization.lower()] if self.normalization != "VALID" else []
        return " ".join(words)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The probabilities and their logs, each position's weights, and what it counts."""
        x = site.bottoms[0]
        axis = self.axis % len(x)
        one = (prod(x[:axis]), 1, prod(x[axis + 1 :]))
        values = (one[0], x[axis], one[2])
        return {
            "probability": base.Buffer(values, saved=site.backward),
            "weight": base.Buffer(values, saved=site.backward),
            "share": base.Buffer(one, saved=site.backward),
            "log": base.Buffer(values),
            "peak": base.Buffer(one),
        }

    def forward(self, run: base.Forward[None]) -> None:
        """Set loss = sum(-sum_k(H[label, k] * log(p[k]))) / divisor."""
        p, weight, share = run.buffer("probability"), run.buffer("weight"), run.buffer("share")
        outer, classes, inner = p.shape
        softmax(run.bottom(0).reshape(p.shape), 1, run.buffer("peak"), p)
        labels, valid = read_labels(run.bottom(1), classes, self.ignore_label)
        rows = self._matrix(run, classes)[labels]
        np.copyto(weight, rows.reshape(outer, inner, classes).swapaxes(1, 2))
        count = labels.size if valid is None else int(np.count_nonzero(valid))
        by = divisor(self.normalization, labels.size, count, outer)
        share.fill(1)
        if valid is not None:
            share[...] = valid.reshape(share.shape)
        logs = run.buffer("log")
        np.maximum(p, LEAST, out=logs)
        np.log(logs, out=logs)
        np.multiply(logs, weight, out=logs)
        losses = np.add.reduce(logs, axis=1, dtype=np.float64).reshape(-1)
        losses = losses if valid is None else losses[valid]
        run.top(0)[...] = -float(losses.sum()) / by
        np.divide(share, by, out=share)
        if len(run.tops) > 1:
            np.copyto(run.top(1), p.reshape(run.top(1).shape))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = loss_weight / divisor * (p * sum_k(H[label, k]) - H[label]), 0 if ignored."""
        out = run.bottom_diff(0)
        if out is None:
            return
        p, weight = run.buffer("probability"), run.buffer("weight")
        dx, total = out.reshape(p.shape), run.buffer("peak")
        np.add.reduce(weight, axis=1, keepdims=True, out=total)
        np.multiply(p, total, out=dx)
        np.subtract(dx, weight, out=dx)
        np.multiply(dx, run.buffer("share") * float(run.top_diff(0)), out=dx)

    def _matrix(self, run: base.Forward[None], classes: int) -> base.Array:
        """H, (classes, classes)."""
        matrix = run.bottom(2) if len(run.bottoms) > 2 else self.matrix
        assert matrix is not None, "the layer is not begun"
        return matrix.reshape(classes, classes)
