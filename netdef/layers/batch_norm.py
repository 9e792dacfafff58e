"""BatchNorm: channels brought to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.kernels.batch_norm import Normalizer, invert
from netdef.kernels.matrix import as_rows
from netdef.layers import base
from netdef.layers.affine import Affine
from netdef.layers.filler import ZEROS

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "batch_norm_param"


class Rows(NamedTuple):
    """What every pass uses again; a row is all values of a channel in a shard.

    Attributes:
        x: the bottom, (channels, values).
        y: the top, (channels, values).
        kernel: what computes with them.
    """

    x: base.Array
    y: base.Array
    kernel: Normalizer


@base.layer("BatchNorm")
@dataclass(frozen=True, slots=True)
class BatchNorm(base.Layer[Rows]):
    """Take off each channel's mean and divide by its standard deviation.

    Formula:
        y = (x - mean) / sqrt(variance + eps)
        mean, variance: of all values of a channel in the batch, count of them; with
        use_global_stats the stored ones, running mean / scale factor and running variance /
        scale factor (0 where that is 0)
        Each batch moves what is stored, m being moving_average_fraction:
        running mean = m * running mean + mean
        running variance = m * running variance + variance * count / (count - 1)
        scale factor = m * scale factor + 1
    Bottoms:
        x: (n, c, ...), or (n,), which is one channel
    Tops:
        y: same as x
    Params:
        running mean: (c,)
        running variance: (c,)
        scale factor: (1,); none of the three is learned
    Cost:
        4 operations a value forward, 6 backward, which works from y, so x need not be kept;
        with use_global_stats 2 and 1
    Source:
        caffe/src/caffe/layers/batch_norm_layer.cpp

    Differences from Caffe:
        Working in place it keeps no copy of y for itself.

    Attributes:
        use_global_stats: take the stored statistics, and leave them alone.
        moving_average_fraction: share of the stored statistics that each batch leaves.
        eps: added to the variance, so that a channel of equal values can be divided by it.

    Example:
        >>> BatchNorm().shapes(((8, 256, 56, 56),))
        ((8, 256, 56, 56),)
    """

    use_global_stats: bool = False
    moving_average_fraction: float = 0.999
    eps: float = 1e-5

    layout = base.CHWN
    in_place = True
    reads_bottoms = False
    accumulates = True
    writes_params = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `batch_norm_param`; which statistics to take depends on the phase.

        Raises:
            FieldError: a solver is asked to learn the statistics.
        """
        for index, spec in enumerate(message.param):
            if spec.lr_mult != 0:
                raise FieldError(
                    f"param[{index}].lr_mult",
                    f"must be 0, is {spec.lr_mult:g}: what BatchNorm stores are statistics, which "
                    "it keeps up to date by itself",
                    "write `lr_mult: 0`, or leave the `param`s out; a Scale layer after this one "
                    "learns factor and bias",
                )
        param = message.batch_norm_param
        if param.HasField("use_global_stats"):
            stored = param.use_global_stats
        else:
            stored = phase is base.Phase.TEST
        return cls(stored, param.moving_average_fraction, param.eps)

    @property
    def reads_tops(self) -> bool:  # type: ignore[override]  # stored statistics are constants
        """Backward reads the top where the statistics are the batch's."""
        return not self.use_global_stats

    @property
    def forward_stages(self) -> tuple[str, ...]:  # type: ignore[override]  # as reads_tops
        """Where the statistics are the batch's, shards meet once they have their own."""
        return ("forward",) if self.use_global_stats else ("forward", "forward_together")

    @property
    def backward_stages(self) -> tuple[str, ...]:  # type: ignore[override]  # as reads_tops
        """Where the statistics are the batch's, shards meet once they have their sums."""
        return ("backward",) if self.use_global_stats else ("backward", "backward_together")

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's shape.

        Raises:
            BottomError: it is a scalar.
        """
        if not bottoms[0]:
            raise BottomError(0, "is a scalar, and BatchNorm needs a batch")
        return bottoms

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """The stored statistics, as Caffe stores them."""
        channels = bottoms[0][1] if len(bottoms[0]) > 1 else 1
        return (
            base.Learned("running mean", (channels,), ZEROS, statistic=True),
            base.Learned("running variance", (channels,), ZEROS, statistic=True),
            base.Learned("scale factor", (1,), ZEROS, statistic=True),
        )

    def settings(self) -> str:
        """Whether the stored statistics are taken."""
        return "global stats" if self.use_global_stats else ""

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part | None:
        """Where the statistics are constants."""
        if len(bottoms[0]) < 2 or not self.use_global_stats:
            return None
        return base.Part(self, (low, high), (True, True, False))

    def has_epilogue(self, site: base.Site) -> bool:
        """Where the statistics are constants, and no gradient needs them kept."""
        return self.use_global_stats and not site.backward

    def epilogue(self, run: base.Forward[Rows]) -> base.Epilogue:
        """Multiply by 1 / deviation, subtract mean / deviation."""

        def terms() -> tuple[base.Array, base.Array]:
            self._look_up(run)
            inverse = run.buffer("inverse")
            return inverse, -run.buffer("mean") * inverse

        return Affine(terms, fast=run.site.fast)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Statistics; what peers read is saved, as a faster shard is soon at the next layer."""
        channels, values = _rows(site)
        needs = {
            "mean": base.Buffer((channels,), saved=True),
            "inverse": base.Buffer((channels,), saved=True),
        }
        if not self.use_global_stats or any(site.wanted):
            size = _way(site).scratch_size(channels, values)
            needs["scratch"] = base.Buffer((size,))
        if not self.use_global_stats:
            needs["moments"] = base.Buffer((2, channels), saved=True)
            if any(site.wanted):
                needs["sums"] = base.Buffer((2, channels), saved=True)
        return needs

    def algorithm(self, site: base.Site) -> str:
        """Whether a compiled kernel computes it."""
        return "compiled" if _way(site) is not Normalizer else ""

    def prepare(self, run: base.Forward[Rows]) -> Rows:
        """See bottom and top as rows."""
        site, x, y = run.site, run.bottom(0), run.top(0)
        channels, values = _rows(site)
        scratch = run.buffer("scratch") if "scratch" in self.buffers(site) else None
        kernel = _way(site)(channels, values, site.dtype, scratch)
        if not values:
            return Rows(x, y, kernel)
        return Rows(as_rows(x, channels), as_rows(y, channels), kernel)

    def forward(self, run: base.Forward[Rows]) -> None:
        """Normalise by the stored statistics, or take this shard's; alone, go on by itself."""
        x, y, kernel = run.work
        if self.use_global_stats:
            self._look_up(run)
            kernel.normalize(x, y, run.buffer("mean"), run.buffer("inverse"))
            return
        moments = run.buffer("moments")
        if len(run.peers) > 1:
            kernel.moments(x, moments)
            return
        kernel.forward(x, y, moments, run.buffer("inverse"), self.eps)
        if kernel.values:
            mean, square = moments
            self._store(run, mean, square / kernel.values, kernel.values)

    def forward_together(self, run: base.Forward[Rows]) -> None:
        """Combine the statistics of all shards, in their order, and normalise."""
        if len(run.peers) == 1:
            return
        counts = np.array([[peer.work.kernel.values] for peer in run.peers])
        moments = np.array([peer.buffer("moments") for peer in run.peers], np.float64)
        means, squares = moments[:, 0], moments[:, 1]
        count = int(counts.sum())
        mean = np.sum(counts * means, axis=0) / count
        # squares of differences from a shard's own mean, moved to the mean of all
        variance = np.sum(squares + counts * (means - mean) ** 2, axis=0) / count
        inverse = run.buffer("inverse")
        np.copyto(run.buffer("mean"), mean)
        np.copyto(inverse, variance)
        invert(inverse, self.eps)
        run.work.kernel.normalize(run.work.x, run.work.y, run.buffer("mean"), inverse)
        if run is run.peers[0]:
            self._store(run, mean, variance, count)

    def _look_up(self, run: base.Forward[Rows]) -> None:
        mean, variance, factor = run.params
        scale = 0.0 if factor[0] == 0 else 1 / float(factor[0])
        np.multiply(mean, scale, out=run.buffer("mean"))
        np.multiply(variance, scale, out=run.buffer("inverse"))
        invert(run.buffer("inverse"), self.eps)

    def _store(
        self, run: base.Forward[Rows], mean: base.Array, variance: base.Array, count: int
    ) -> None:
        """Move the stored statistics."""
        # of a sample, the variance of all values there might be; of one value Caffe's own
        correction = count / (count - 1) if count > 1 else 1.0
        moved: tuple[base.Array | float, ...] = (mean, variance * correction, 1.0)
        for stored, new in zip(run.params, moved, strict=True):
            np.multiply(stored, self.moving_average_fraction, out=stored)
            np.add(stored, new, out=stored)

    def backward(self, run: base.Backward[Rows]) -> None:
        """Set dx = dy / deviation, or take this shard's sums; alone, go on by itself."""
        for diff in run.param_diffs:
            if diff is not None:  # as Caffe has it where force_backward asks for all gradients
                diff.fill(0)
        if (dx := run.bottom_diff(0)) is None:
            return
        _, y, kernel = run.work
        dy, inverse = _diff_rows(run, run.top_diff(0)), run.buffer("inverse")
        if self.use_global_stats:
            kernel.scale(dy, _diff_rows(run, dx), inverse, add=run.adds(0))
        elif len(run.peers) > 1:
            kernel.sums(y, dy, run.buffer("sums"))
        else:
            sums, rows = run.buffer("sums"), _diff_rows(run, dx)
            kernel.backward(y, dy, rows, sums, inverse, add=run.adds(0))

    def backward_together(self, run: base.Backward[Rows]) -> None:
        """Add the sums of all shards, in their order, and write the gradient."""
        if len(run.peers) == 1 or (dx := run.bottom_diff(0)) is None:
            return
        count = sum(peer.work.kernel.values for peer in run.peers)
        sums = np.array([peer.buffer("sums") for peer in run.peers], np.float64)
        means = (np.sum(sums, axis=0) / count).astype(run.site.dtype)
        _, y, kernel = run.work
        dy, rows = _diff_rows(run, run.top_diff(0)), _diff_rows(run, dx)
        kernel.gradient(y, dy, rows, means, run.buffer("inverse"), add=run.adds(0))


def _rows(site: base.Site) -> tuple[int, int]:
    """Channels, and values of a channel in the shard."""
    shape = site.bottoms[0]
    if site.layout is not base.CHWN:  # an empty batch
        return (shape[1] if len(shape) > 1 else 1), 0
    channels = shape[0] if len(shape) > 1 else 1
    return channels, prod(shape) // channels if channels else 0


def _diff_rows(run: base.Backward[Rows], diff: base.Array) -> base.Array:
    """A gradient as rows; as it is where there are no values."""
    kernel = run.work.kernel
    return as_rows(diff, kernel.channels) if kernel.values else diff


def _way(site: base.Site) -> type[Normalizer]:
    """What computes."""
    if not site.fast:
        return Normalizer
    from netdef.kernels.fast.batch_norm import choose_fast  # compiles, so only if asked

    return choose_fast(_rows(site)[1])
