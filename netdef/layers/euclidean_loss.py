"""EuclideanLoss: half the mean square distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from netdef.diag import BottomError
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.loss_param import same_batch


@base.layer("EuclideanLoss")
@dataclass(frozen=True, slots=True)
class EuclideanLoss(base.Layer[None]):
    """Half the square distance of two bottoms, mean over the batch.

    Formula:
        loss = sum((a - b) ** 2) / (2 N), N the size of the batch, not the number of values
    Bottoms:
        a: any shape
        b: as many values as a, the same batch
    Tops:
        loss: scalar
    Cost:
        3 flops a value; a - b is kept for backward, a and b are not
    Source:
        caffe/src/caffe/layers/euclidean_loss_layer.cpp

    Differences from Caffe:
        An empty batch costs 0, where Caffe divides 0 by 0.

    Example:
        >>> EuclideanLoss().shapes(((2, 3), (2, 3)))
        ((),)
    """

    bottom_count = (2, 2)
    reads_bottoms = False
    reads_tops = False
    loss = True

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar.

        Raises:
            BottomError: the bottoms have not as many values in each image.
        """
        same_batch(bottoms)
        a, b = bottoms
        if prod(a[1:]) != prod(b[1:]):
            raise BottomError(
                1,
                f"is {show(b)} and the first is {show(a)}",
                f"both need {prod(a[1:])} values in each image of the batch",
            )
        return ((),)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The difference."""
        return {"difference": base.Buffer(site.bottoms[0], saved=site.backward)}

    def forward(self, run: base.Forward[None]) -> None:
        """Set loss = sum((a - b) ** 2) / (2 N)."""
        a, difference = run.bottom(0), run.buffer("difference")
        np.subtract(a, run.bottom(1).reshape(a.shape), out=difference)
        flat = difference.reshape(-1)
        run.top(0)[...] = np.dot(flat, flat) / (2 * max(1, a.shape[0]))

    def backward(self, run: base.Backward[None]) -> None:
        """Set da = loss_weight / N * (a - b), db = -da."""
        factor = float(run.top_diff(0)) / max(1, run.site.bottoms[0][0])
        for index, sign in enumerate((1, -1)):
            dx = run.bottom_diff(index)
            if dx is not None:
                np.multiply(run.buffer("difference").reshape(dx.shape), sign * factor, out=dx)
