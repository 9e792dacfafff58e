"""MultinomialLogisticLoss: how improbable the labels are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from netdef.diag import BottomError
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.loss_param import read_labels, same_batch

LEAST = 1e-20
"""Caffe's kLOG_THRESHOLD: no probability counts as less."""


@base.layer("MultinomialLogisticLoss")
@dataclass(frozen=True, slots=True)
class MultinomialLogisticLoss(base.Layer[None]):
    """The mean of -log of the probability of the label.

    Formula:
        loss = sum(-log(max(p[label], 1e-20))) / N
    Bottoms:
        p: probabilities, N×C; further axes count as classes too
        label: a whole number from 0 to C-1 for each example: N
    Tops:
        loss: scalar
    Cost:
        1 log an example; p is needed for backward
    Source:
        caffe/src/caffe/layers/multinomial_logistic_loss_layer.cpp

    SoftmaxWithLoss takes scores in place of probabilities, and has the better gradient.

    Differences from Caffe:
        A label that is no class stops the run; Caffe reads another array's memory.

    Example:
        >>> MultinomialLogisticLoss().shapes(((2, 3), (2,)))
        ((),)
    """

    bottom_count = (2, 2)
    reads_tops = False
    loss = True
    no_gradient = (1,)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar.

        Raises:
            BottomError: there is not one label for each example.
        """
        one_label_each(bottoms)
        return ((),)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The labels."""
        return {"label": base.Buffer(site.bottoms[0][:1], np.int64, saved=site.backward)}

    def forward(self, run: base.Forward[None]) -> None:
        """Set loss = sum(-log(p[label])) / N."""
        p, label = _rows(run.bottom(0)), run.buffer("label")
        label[...], _ = read_labels(run.bottom(1), p.shape[1], None)
        losses = np.log(np.maximum(p[np.arange(len(p)), label], LEAST))
        run.top(0)[...] = -float(np.add.reduce(losses, dtype=np.float64)) / max(1, len(p))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dp = -loss_weight / N / p at the label, 0 elsewhere."""
        dp = run.bottom_diff(0)
        if dp is None:
            return
        p, at = _rows(run.bottom(0)), (np.arange(len(dp)), run.buffer("label"))
        factor = -float(run.top_diff(0)) / max(1, len(p))
        dp.fill(0)
        _rows(dp)[at] = factor / np.maximum(p[at], LEAST)


def _rows(array: base.Array) -> base.Array:
    return array.reshape(len(array), prod(array.shape[1:]))


def one_label_each(bottoms: base.Shapes) -> None:
    """Refuse a second bottom that is not one label for each example of the first.

    Raises:
        BottomError: it is not.
    """
    same_batch(bottoms)
    x, label = bottoms[:2]
    if prod(label[1:]) != 1:
        raise BottomError(
            1,
            f"is {show(label)}, it needs one label for each of {x[0]} examples",
            "a loss with a label for each position is SoftmaxWithLoss",
        )
