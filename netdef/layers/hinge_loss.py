"""HingeLoss: scores on the wrong side of a margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.layers import base
from netdef.layers.loss_param import read_labels
from netdef.layers.multinomial_logistic_loss import one_label_each

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_NORMS = {1: "L1", 2: "L2"}


@base.layer("HingeLoss")
@dataclass(frozen=True, slots=True)
class HingeLoss(base.Layer[None]):
    """Want the label's score above 1 and all others below -1: one against all.

    Formula:
        m = max(0, 1 + s * x), where s = -1 at the label and 1 elsewhere
        loss = sum(m) / N; L1
        loss = sum(m**2) / N; L2
    Bottoms:
        x: scores, N×C; further axes count as classes too
        label: a whole number from 0 to C-1 for each example: N
    Tops:
        loss: scalar
    Cost:
        3 flops a value; m is kept for backward, x is not
    Source:
        caffe/src/caffe/layers/hinge_loss_layer.cpp

    Differences from Caffe:
        A score of NaN makes a loss of NaN; Caffe counts it as 0. A label that is no class stops
        the run; Caffe reads another array's memory.

    Attributes:
        norm: L1 or L2.

    Example:
        >>> HingeLoss().shapes(((2, 3), (2,)))
        ((),)
    """

    norm: str = "L1"

    bottom_count = (2, 2)
    reads_bottoms = False
    reads_tops = False
    loss = True
    no_gradient = (1,)
    kinks = (-1.0, 1.0)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `hinge_loss_param`."""
        del phase
        return cls(_NORMS[message.hinge_loss_param.norm])

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar.

        Raises:
            BottomError: there is not one label for each example.
        """
        one_label_each(bottoms)
        return ((),)

    def settings(self) -> str:
        """The norm, where it is not L1."""
        return "" if self.norm == "L1" else self.norm

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What each score lacks, and the labels."""
        n, *rest = site.bottoms[0]
        return {
            "margin": base.Buffer((n, prod(rest)), saved=site.backward),
            "label": base.Buffer((n,), np.int64, saved=site.backward),
        }

    def forward(self, run: base.Forward[None]) -> None:
        """Set loss = sum(max(0, 1 + s * x)) / N, or of the squares."""
        m, label = run.buffer("margin"), run.buffer("label")
        x = run.bottom(0).reshape(m.shape)
        label[...], _ = read_labels(run.bottom(1), m.shape[1], None)
        at = np.arange(len(m)), label
        np.add(x, 1, out=m)
        m[at] = 1 - x[at]
        np.maximum(m, 0, out=m)
        flat = m.reshape(-1)
        terms = flat if self.norm == "L1" else np.square(flat)
        run.top(0)[...] = float(np.add.reduce(terms, dtype=np.float64)) / max(1, len(m))

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = loss_weight / N * s * (m > 0), or 2 m in place of (m > 0)."""
        out = run.bottom_diff(0)
        if out is None:
            return
        m, dx = run.buffer("margin"), out.reshape(run.buffer("margin").shape)
        factor = float(run.top_diff(0)) / max(1, len(m))
        if self.norm == "L1":
            np.sign(m, out=dx)
            np.multiply(dx, factor, out=dx)
        else:
            np.multiply(m, 2 * factor, out=dx)
        at = np.arange(len(m)), run.buffer("label")
        dx[at] = -dx[at]
