"""Dropout behind the last layer that learns."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, place
from netdef.lint.walk import all_behind, has_loss, may_learn, trains


class DropoutAtTheEnd(Problem):
    """A Dropout layer stands behind the last layer that learns.

    It sets some of the net's answers to 0 and doubles the others before the loss sees them: no
    layer is left that could learn to do without them. Dropout belongs before a layer with
    weights.

    Example:
        layer { name: "fc8" type: "InnerProduct" bottom: "fc7" top: "fc8" ... }
        layer { name: "drop8" type: "Dropout" bottom: "fc8" top: "fc8" }
    Write:
        layer { name: "drop7" type: "Dropout" bottom: "fc7" top: "fc7" }
        layer { name: "fc8" type: "InnerProduct" bottom: "fc7" top: "fc8" ... }
    """

    code = "N710"
    default_severity = Severity.WARNING


def dropout_at_the_end(net: Net) -> Iterator[Problem]:
    """Find Dropout layers with a loss and no learning layer behind them."""
    if not trains(net):
        return
    for position, node in enumerate(net.nodes):
        if node.type != "Dropout":
            continue
        rest = all_behind(net, position)
        losses = [other for other in rest if has_loss(net, other)]
        if not losses or any(may_learn(net, other) for other in rest):
            continue
        span = place(net, node, "type")
        yield DropoutAtTheEnd(
            f"`{node.name}` drops answers of the net: no layer behind it learns",
            span,
            label=f"goes to the loss `{net.nodes[min(losses)].name}`",
            labels=in_layer(net, node, span),
            help="put it before the last layer that learns, or remove it",
        )
