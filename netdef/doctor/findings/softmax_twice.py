"""A softmax of a softmax."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Fix, Label, Problem, Severity
from netdef.doctor.figures import Figures
from netdef.doctor.findings import common
from netdef.lint.walk import maker

_TWICE = {"SoftmaxWithLoss": "Softmax", "SigmoidCrossEntropyLoss": "Sigmoid"}


class SquashedTwice(Problem):
    """The loss takes the softmax, or sigmoid, of what has been through one already.

    Probabilities lie between 0 and 1, so that the second softmax is nearly even: the loss cannot
    come near 0, and the gradient is tiny.

    Example:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "prob" bottom: "label" top: "loss" }
    Write the scores that the Softmax was fed with:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
    """

    code = "N808"
    default_severity = Severity.WARNING


def softmax_twice(figures: Figures) -> Iterator[Problem]:
    """Find losses that are fed with probabilities."""
    net = figures.net
    for position, node in enumerate(net.nodes):
        kind = _TWICE.get(node.type)
        source = maker(net, position, 0) if kind else None
        if source is None or net.nodes[source].type != kind:
            continue
        other = net.nodes[source]
        seen = next(b for b in figures.blobs if b.node == source)
        span = net.span((*node.path, "bottom", 0))
        scores = other.message.bottom[0]
        at = common.at(net, other, "type")
        in_place = scores == other.message.top[0]
        yield SquashedTwice(
            f"`{node.name}` takes the {kind.lower()} of a {kind.lower()}",
            span,
            label=f"has been through the {kind} `{other.name}`",
            labels=(Label(at, "here"),) if at is not None else (),
            notes=(
                f"its values lie between {seen.data.least:.3g} and {seen.data.most:.3g}; scores "
                "have no limits",
            ),
            help=f"leave `{other.name}` out" if in_place else f'write `bottom: "{scores}"`',
            fixes=() if in_place or span is None else (Fix(span, f'"{scores}"', safe=False),),
        )
