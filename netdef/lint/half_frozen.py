"""A layer whose weights are frozen, and whose bias is not."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer
from netdef.lint.walk import trains


class HalfFrozen(Problem):
    """The weights of a layer are frozen, and its bias goes on learning.

    The first `param` block is for the weights only. A layer is frozen with a block for each of
    its params.

    Example:
        param { lr_mult: 0 }
    Write:
        param { lr_mult: 0 } param { lr_mult: 0 }
    """

    code = "N713"
    default_severity = Severity.WARNING


def half_frozen(net: Net) -> Iterator[Problem]:
    """Find layers with one `param` block, of rate 0, and a bias that learns."""
    if not trains(net):
        return
    for node in net.nodes:
        roles = [learned.role for learned in node.learned]
        if roles != ["weight", "bias"] or len(node.message.param) != 1:
            continue
        if net.params[node.params[0]].learns or not net.params[node.params[1]].learns:
            continue
        span = net.span((*node.path, "param", 0, "lr_mult"))
        yield HalfFrozen(
            f"the weights of `{node.name}` are frozen, its bias is not",
            span,
            label="of the weights only",
            labels=in_layer(net, node, span),
            help="write a second block for the bias: param { lr_mult: 0 }",
        )
