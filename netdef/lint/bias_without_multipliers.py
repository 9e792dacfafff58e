"""One layer without multipliers for its bias, where the others have them."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Label, Problem, Severity
from netdef.graph import Net, Node
from netdef.graph.problems import name_span
from netdef.lint.walk import learns, trains

_MOST_OTHERS = 3  # for each layer without, this many with


class BiasWithoutMultipliers(Problem):
    """A layer has no `param` block for its bias, and nearly all others have one.

    Caffe's models train biases at twice the rate and without decay, by a second `param` block in
    each layer. A layer without it trains its bias at the plain rate and decays it. Mostly the
    block was forgotten when the layer was added.

    Example:
        param { lr_mult: 1 }
    Write:
        param { lr_mult: 1 }
        param { lr_mult: 2 decay_mult: 0 }
    """

    code = "N707"
    default_severity = Severity.WARNING


def bias_without_multipliers(net: Net) -> Iterator[Problem]:
    """Find the few layers without multipliers for the bias among many with them."""
    if not trains(net):
        return
    biased = [node for node in net.nodes if _has_bias(node) and learns(net, node)]
    having = [node for node in biased if len(node.message.param) >= 2 and _says(node)]
    lacking = [node for node in biased if len(node.message.param) < 2]
    if not lacking or len(having) < _MOST_OTHERS * len(lacking):
        return
    usual = having[-1]
    at = net.span((*usual.path, "param", 1))
    for node in lacking:
        yield BiasWithoutMultipliers(
            f"the bias of `{node.name}` has no multipliers, {len(having)} other layers' have",
            name_span(net, node),
            label="no second `param`",
            labels=(Label(at, f"as `{usual.name}` has"),) if at else (),
            help=f"write a second block: param {{ {_multipliers(usual)} }}",
        )


def _has_bias(node: Node) -> bool:
    return [learned.role for learned in node.learned] == ["weight", "bias"]


def _says(node: Node) -> bool:
    param = node.message.param[1]
    return param.HasField("lr_mult") or param.HasField("decay_mult")


def _multipliers(node: Node) -> str:
    param = node.message.param[1]
    words = [
        f"{field}: {getattr(param, field):g}"
        for field, given in (
            ("lr_mult", param.HasField("lr_mult")),
            ("decay_mult", param.HasField("decay_mult")),
        )
        if given
    ]
    return " ".join(words)
