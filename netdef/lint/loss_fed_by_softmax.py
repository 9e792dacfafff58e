"""A loss that takes its own softmax, fed by a Softmax."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Label, Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, name_span
from netdef.lint.walk import maker

_TAKES_ITSELF = {"SoftmaxWithLoss": "Softmax", "SigmoidCrossEntropyLoss": "Sigmoid"}


class LossFedBySoftmax(Problem):
    """A loss that computes its own softmax or sigmoid is fed by such a layer.

    SoftmaxWithLoss is a Softmax and a logarithmic loss in one, SigmoidCrossEntropyLoss the same
    with a Sigmoid. Fed by probabilities, it takes the softmax of a softmax: gradients become
    tiny, the loss stays far above 0 even where every answer is right, and training crawls.

    Example:
        layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "prob" bottom: "label" top: "loss" }
    Write:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
    """

    code = "N704"
    default_severity = Severity.WARNING


def loss_fed_by_softmax(net: Net) -> Iterator[Problem]:
    """Find losses whose first bottom has been through what they do themselves."""
    for position, node in enumerate(net.nodes):
        twice = _TAKES_ITSELF.get(node.type)
        source = maker(net, position, 0) if twice else None
        if source is None or net.nodes[source].type != twice:
            continue
        other = net.nodes[source]
        span = net.span((*node.path, "bottom", 0))
        at = name_span(net, other)
        labels = (Label(at, f"this {other.type} makes it"),) if at else ()
        scores = other.message.bottom[0]
        yield LossFedBySoftmax(
            f"`{node.name}` takes the {twice.lower()} of a {twice.lower()}",
            span,
            label=f"has been through the {twice} `{other.name}`",
            labels=(*labels, *in_layer(net, node, span)),
            help=f'write `bottom: "{scores}"`, what the {twice} is fed with',
        )
