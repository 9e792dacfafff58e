"""Statistics of a BatchNorm that training does not move."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, place
from netdef.lint.walk import learn_before, trains


class FrozenStatistics(Problem):
    """A BatchNorm uses stored statistics in training, and never updates them.

    With `use_global_stats: true` mean and variance stay what the weight file says; without one
    they stay 0, and every value is divided by the root of `eps`. That is right for fine-tuning
    with small batches. Where layers before it learn, their outputs drift away from the
    statistics. Left out, Caffe chooses by the phase: the batch's own in TRAIN, the stored ones
    in TEST.

    Example:
        batch_norm_param { use_global_stats: true }
    Write:
        batch_norm_param { }
    """

    code = "N702"
    default_severity = Severity.WARNING


def frozen_statistics(net: Net) -> Iterator[Problem]:
    """Find BatchNorm layers with use_global_stats in a net that trains what is before them."""
    if not trains(net):
        return
    for node, drifts in zip(net.nodes, learn_before(net), strict=True):
        if node.type != "BatchNorm" or not node.message.batch_norm_param.use_global_stats:
            continue
        if not drifts:
            continue
        span = place(net, node, "batch_norm_param.use_global_stats")
        yield FrozenStatistics(
            f"`{node.name}` never updates its statistics, and layers before it learn",
            span,
            label="keeps the stored statistics in training",
            labels=in_layer(net, node, span),
            help="leave `use_global_stats` out, unless weights are copied and batches are small",
        )
