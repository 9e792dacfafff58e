"""ContrastiveLoss: pairs that belong together pull, others push."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.loss_param import same_batch

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("ContrastiveLoss")
@dataclass(frozen=True, slots=True)
class ContrastiveLoss(base.Layer[None]):
    """Make features of similar pairs equal, and keep those of others a margin apart.

    Formula:
        d = |a - b| for each pair of the batch
        loss = sum(similar ? d**2 : max(margin - d, 0)**2) / (2 N)
        loss = sum(similar ? d**2 : max(margin - d**2, 0)) / (2 N); legacy_version
    Bottoms:
        a: features, N×C; further axes of size 1
        b: features of the other halves of the pairs, N×C
        similar: for each pair 1 where it belongs together, else 0; N values
    Tops:
        loss: scalar
    Cost:
        4 flops a value; a - b is kept for backward, a and b are not
    Source:
        caffe/src/caffe/layers/contrastive_loss_layer.cpp

    As in Caffe, the gradient of a pair that is pushed apart is divided by d + 0.0001, not by d.

    Attributes:
        margin: how far apart others should be.
        legacy_version: the formula of old Caffe, whose margin is compared with d**2.

    Example:
        >>> ContrastiveLoss().shapes(((2, 3), (2, 3), (2,)))
        ((),)
    """

    margin: float = 1.0
    legacy_version: bool = False

    bottom_count = (3, 3)
    reads_bottoms = False
    reads_tops = False
    loss = True
    no_gradient = (2,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `contrastive_loss_param`."""
        del phase
        param = message.contrastive_loss_param
        return cls(param.margin, param.legacy_version)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar.

        Raises:
            BottomError: the bottoms are not N×C, N×C and N.
        """
        same_batch(bottoms)
        a, b, similar = bottoms
        for index, shape in enumerate((a, b)):
            if prod(shape[2:]) != 1:
                raise BottomError(
                    index,
                    f"is {show(shape)}, a pair needs one row of features: {show(shape[:2])}",
                    "put a Flatten or an InnerProduct before",
                )
        if prod(a) != prod(b):
            raise BottomError(
                1,
                f"is {show(b)} and the first is {show(a)}",
                "both halves of a pair need as many features",
            )
        if prod(similar) != a[0] or prod(similar[1:]) != 1:
            raise BottomError(
                2,
                f"is {show(similar)}, it needs one value for each of {a[0]} pairs",
                "1 for a pair that belongs together, else 0",
            )
        return ((),)

    def settings(self) -> str:
        """The margin."""
        return f"margin {self.margin:g}" + (" legacy" if self.legacy_version else "")

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The difference of each pair, and how far it is pulled."""
        n = site.bottoms[0][0]
        rows = (n, prod(site.bottoms[0][1:]))
        return {
            "difference": base.Buffer(rows, saved=site.backward),
            "pull": base.Buffer((n, 1), saved=site.backward),
        }

    def forward(self, run: base.Forward[None]) -> None:
        """Set loss = sum(similar ? d**2 : max(margin - d, 0)**2) / (2 N)."""
        difference, pull = run.buffer("difference"), run.buffer("pull")
        rows = difference.shape
        np.subtract(run.bottom(0).reshape(rows), run.bottom(1).reshape(rows), out=difference)
        square = np.einsum("nc,nc->n", difference, difference)
        similar = run.bottom(2).reshape(-1).astype(np.int64) != 0
        if self.legacy_version:
            short = np.maximum(self.margin - square, 0)
            pushed, push = short, (short > 0).astype(square.dtype)
        else:
            distance = np.sqrt(square)
            short = np.maximum(self.margin - distance, 0)
            pushed, push = short * short, short / (distance + 1e-4)
        losses = np.where(similar, square, pushed)
        pull[:, 0] = np.where(similar, 1, -push)
        run.top(0)[...] = losses.sum() / (2 * max(1, rows[0]))

    def backward(self, run: base.Backward[None]) -> None:
        """Set da = loss_weight / N * pull * (a - b), db = -da."""
        factor = float(run.top_diff(0)) / max(1, run.site.bottoms[0][0])
        difference = run.buffer("difference")
        for index, sign in enumerate((1, -1)):
            dx = run.bottom_diff(index)
            if dx is not None:
                pull = (run.buffer("pull") * (sign * factor)).reshape(-1, *(1,) * (dx.ndim - 1))
                np.multiply(difference.reshape(dx.shape), pull, out=dx)
