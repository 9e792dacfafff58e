"""A loss of probabilities, fed by something that makes none."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Label, Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, name_span
from netdef.lint.walk import WITH_WEIGHTS, maker


class LossOfScores(Problem):
    """MultinomialLogisticLoss is fed by scores, and takes the logarithm of probabilities.

    It has no softmax of its own. A score below 0 counts as the least probability there is, one
    above 1 gives a loss below 0.

    Example:
        layer {
          name: "loss" type: "MultinomialLogisticLoss" bottom: "ip2" bottom: "label" top: "loss"
        }
    Write:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
    """

    code = "N705"
    default_severity = Severity.WARNING


def loss_of_scores(net: Net) -> Iterator[Problem]:
    """Find MultinomialLogisticLoss layers that read straight from a layer with weights."""
    for position, node in enumerate(net.nodes):
        if node.type != "MultinomialLogisticLoss":
            continue
        source = maker(net, position, 0)
        if source is None or net.nodes[source].type not in WITH_WEIGHTS:
            continue
        span = net.span((*node.path, "bottom", 0))
        at = name_span(net, net.nodes[source])
        yield LossOfScores(
            f"`{node.name}` takes the logarithm of scores",
            span,
            label="not probabilities",
            labels=(
                *((Label(at, "this layer makes them"),) if at else ()),
                *in_layer(net, node, span),
            ),
            help='write `type: "SoftmaxWithLoss"`, or put a Softmax between',
        )
