"""One bias that decays, where the others do not."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Label, Problem, Severity
from netdef.graph import Net, Node
from netdef.graph.problems import in_layer
from netdef.lint.walk import trains


class BiasDecayDiffers(Problem):
    """The bias of a layer decays, and those of the other layers do not.

    `decay_mult: 0` keeps a bias out of weight decay. Where most layers have it and one has not,
    it was mostly forgotten.

    Example:
        param { lr_mult: 1 } param { lr_mult: 2 }
    Write:
        param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
    """

    code = "N708"
    default_severity = Severity.WARNING


def bias_decay_differs(net: Net) -> Iterator[Problem]:
    """Find the few biases that decay among many that do not."""
    if not trains(net):
        return
    biases = [node for node in net.nodes if _bias_learns(net, node)]
    without = [node for node in biases if node.message.param[1].decay_mult == 0]
    decaying = [node for node in biases if node.message.param[1].decay_mult != 0]
    if len(without) < 2 * len(decaying):
        return
    for node in decaying:
        param = node.message.param[1]
        span = net.span((*node.path, "param", 1))
        at = net.span((*without[-1].path, "param", 1, "decay_mult"))
        yield BiasDecayDiffers(
            f"the bias of `{node.name}` decays, those of {len(without)} other layers do not",
            span,
            label=f"decay_mult is {param.decay_mult:g}"
            + ("" if param.HasField("decay_mult") else " unless given"),
            labels=(
                *in_layer(net, node, span),
                *((Label(at, f"0 in `{without[-1].name}`"),) if at else ()),
            ),
            help="write `decay_mult: 0` in this block",
        )


def _bias_learns(net: Net, node: Node) -> bool:
    roles = [learned.role for learned in node.learned]
    if roles != ["weight", "bias"] or len(node.message.param) < 2:
        return False
    return net.params[node.params[1]].learns
