"""MVN: every channel of every image brought to mean 0 and variance 1 by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError
from netdef.kernels.along import Along
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("MVN")
@dataclass(frozen=True, slots=True)
class MVN(base.Layer[Along]):
    """Take off the mean of each channel of each image, and divide by the standard deviation.

    Formula:
        y = (x - mean) / (sqrt(variance) + eps)
        y = x - mean, without normalize_variance
        mean, variance: of one channel of one image, or of a whole image with across_channels
    Bottoms:
        x: (n, c, ...), or (n,), whose images are one value
    Tops:
        y: same as x
    Cost:
        6 operations a value forward and 7 backward, which works from y; half of them without
        normalize_variance
    Source:
        caffe/src/caffe/layers/mvn_layer.cpp

    Differences from Caffe:
        The gradient counts eps; Caffe takes it for 0 there. Bottoms of more than 4 axes are
        accepted.

    Attributes:
        normalize_variance: divide by the standard deviation.
        across_channels: one mean for all channels of an image.
        eps: added to the standard deviation.

    Example:
        >>> MVN().shapes(((2, 3, 7, 6),))
        ((2, 3, 7, 6),)
    """

    normalize_variance: bool = True
    across_channels: bool = False
    eps: float = 1e-9

    layout = base.CHWN
    in_place = True
    reads_bottoms = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `mvn_param`."""
        del phase
        param = message.mvn_param
        return cls(param.normalize_variance, param.across_channels, param.eps)

    @property
    def reads_tops(self) -> bool:  # type: ignore[override]  # a mean needs no values
        """Backward reads the top where it was divided."""
        return self.normalize_variance

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's shape.

        Raises:
            BottomError: it is a scalar.
        """
        if not bottoms[0]:
            raise BottomError(0, "is a scalar, and MVN needs a batch")
        return bottoms

    def settings(self) -> str:
        """What differs from one mean and deviation for each channel."""
        words = ["across channels"] if self.across_channels else []
        return ", ".join(words if self.normalize_variance else [*words, "mean only"])

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Deviations, and scratch for a piece."""
        if not self.normalize_variance:
            return {}
        small = (self._means(site),)
        return {
            "scratch": base.Buffer((self._along(site).block,)),
            "deviation": base.Buffer(small, saved=site.backward),
        }

    def prepare(self, run: base.Forward[Along]) -> Along:
        """Cut the work into pieces."""
        return self._along(run.site)

    def forward(self, run: base.Forward[Along]) -> None:
        """Set y = (x - mean) / (sqrt(variance) + eps)."""
        along = run.work
        x, y = along.large(run.bottom(0)), along.large(run.top(0))
        if self.normalize_variance:
            deviations = along.small(run.buffer("deviation"))
        for large, small in along.pieces:
            part = y[large]
            np.subtract(x[large], along.mean(x[large]), out=part)
            if self.normalize_variance:
                scratch = run.buffer("scratch")[: part.size].reshape(part.shape)
                np.multiply(part, part, out=scratch)
                np.sqrt(along.mean(scratch), out=deviations[small])
                np.divide(part, deviations[small] + self.eps, out=part)

    def backward(self, run: base.Backward[Along]) -> None:
        """Set dx = (dy - mean(dy) - y * mean(dy * y) * deviation') / deviation'.

        Here deviation' is deviation + eps, and the last mean is divided by deviation.
        """
        along, written = run.work, run.bottom_diff(0)
        if written is None:
            return
        y, dy, dx = along.large(run.top(0)), along.large(run.top_diff(0)), along.large(written)
        for large, small in along.pieces:
            dys, dxs = dy[large], dx[large]
            mean = along.mean(dys)
            if not self.normalize_variance:
                np.subtract(dys, mean, out=dxs)
                continue
            scratch = run.buffer("scratch")[: dys.size].reshape(dys.shape)
            deviation = along.small(run.buffer("deviation"))[small]
            divisor = deviation + self.eps
            np.multiply(dys, y[large], out=scratch)
            weight = along.mean(scratch) * divisor
            # where all values are equal, y is 0 and the weight of no consequence
            np.divide(weight, deviation, out=weight, where=deviation > 0)
            np.multiply(y[large], weight, out=scratch)
            np.subtract(dys, scratch, out=scratch)
            np.subtract(scratch, mean, out=scratch)
            np.divide(scratch, divisor, out=dxs)

    def _means(self, site: base.Site) -> int:
        """How many means there are."""
        outer, _, inner = self._large(site)
        return outer * inner

    def _large(self, site: base.Site) -> tuple[int, int, int]:
        """Channels, places and images of the bottom; channels count as places where they share."""
        if site.layout is not base.CHWN:  # an empty batch
            return 1, 1, 0
        *rest, batch = site.bottoms[0]
        outer = 1 if self.across_channels or not rest else rest[0]
        return outer, prod(rest) // outer, batch

    def _along(self, site: base.Site) -> Along:
        return Along(self._large(site), site.dtype, own=True)
