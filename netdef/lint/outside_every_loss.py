"""Layers that could learn, and that no loss depends on."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, place
from netdef.lint.walk import all_before, has_loss, learns, trains


class OutsideEveryLoss(Problem):
    """A layer with weights learns nothing: no loss depends on what it makes.

    Its top is read by nobody, or only by layers that lead to no loss. In training it costs time
    and its weights stay where they started. Mostly a bottom further on names the wrong blob.

    Example:
        layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" ... }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip1" bottom: "label" top: "loss" }
    Write:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }

    To train a part of a net only, set `lr_mult: 0` in the rest.
    """

    code = "N711"
    default_severity = Severity.WARNING


def outside_every_loss(net: Net) -> Iterator[Problem]:
    """Find layers that learn, and that no loss is reached from."""
    if not trains(net):
        return
    losses = [position for position in range(len(net.nodes)) if has_loss(net, position)]
    reached = {*losses, *all_before(net, losses)}
    shared = {param for position in reached for param in net.nodes[position].params}
    for position, node in enumerate(net.nodes):
        if position in reached or not learns(net, node) or shared & set(node.params):
            continue
        span = place(net, node, "top[0]")
        yield OutsideEveryLoss(
            f"`{node.name}` learns nothing: no loss depends on it",
            span,
            label="leads to no loss",
            labels=in_layer(net, node, span),
            help="let a layer before the loss read it, or leave it out of training: "
            "include { phase: TEST }",
        )
