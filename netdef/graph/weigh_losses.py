"""The pass that says which tops make up the loss."""

from __future__ import annotations

from dataclasses import replace

from netdef.diag import Report
from netdef.graph.net import Net, Node
from netdef.graph.problems import WrongCount, in_layer


def weigh_losses(net: Net, report: Report) -> Net:
    """Give every top its weight in the loss: as written, 1 for a loss layer's first, else 0."""
    blobs = list(net.blobs)
    for node in net.nodes:
        for index, weight in zip(node.tops, _weights(net, node, report), strict=False):
            blobs[index] = replace(blobs[index], loss_weight=weight)
    return replace(net, blobs=tuple(blobs))


def _weights(net: Net, node: Node, report: Report) -> tuple[float, ...]:
    written = tuple(node.message.loss_weight)
    is_loss = node.layer is not None and node.layer.loss
    # Caffe gives a loss layer one weight of 1, and then finds it too few for two tops
    weights = written or ((1.0,) if is_loss else (0.0,) * len(node.tops))
    if len(weights) == len(node.tops):
        return weights
    span = net.span((*node.path, "loss_weight", 0) if written else (*node.path, "name"))
    extra = " ".join(["loss_weight: 1"] + ["loss_weight: 0"] * (len(node.tops) - 1))
    report.add(
        WrongCount(
            f"layer `{node.name}` has {len(node.tops)} top{'s' * (len(node.tops) != 1)} "
            f"and {len(written)} loss_weight",
            span,
            labels=in_layer(net, node, span),
            help=f"write one for each top, such as `{extra}`",
        )
    )
    return (0.0,) * len(node.tops)
