"""Weights without a filler."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net, Node
from netdef.graph.problems import in_layer, place
from netdef.lint.walk import WITH_WEIGHTS, learn_behind, learns, trains

_MOST_NAMES = 4


class StartsAtZero(Problem):
    """Weights have no filler, and start as zeros.

    Caffe fills with 0 where no `weight_filler` is written. That is right where weights are
    copied from a file. From scratch, all units of such a layer stay alike, and layers before it
    get no gradient.

    Example:
        inner_product_param { num_output: 10 }
    Write:
        inner_product_param { num_output: 10 weight_filler { type: "xavier" } }
    """

    code = "N714"
    default_severity = Severity.NOTE


def starts_at_zero(net: Net) -> Iterator[Problem]:
    """Find layers whose weights learn and start at 0, told of once for a net.

    The last layer before the loss is let pass: it learns from zeros as well.
    """
    if not trains(net):
        return
    found = [
        node
        for node, passes_on in zip(net.nodes, learn_behind(net), strict=True)
        if passes_on and _zero(node) and learns(net, node)
    ]
    if not found:
        return
    names = ", ".join(f"`{node.name}`" for node in found[:_MOST_NAMES])
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    span = place(net, found[0], "type")
    yield StartsAtZero(
        f"weights start at 0 in {names}{more}",
        span,
        label="no weight_filler",
        labels=in_layer(net, found[0], span),
        help="copy weights with `--weights`, or write a weight_filler",
    )


def _zero(node: Node) -> bool:
    if node.type not in WITH_WEIGHTS or not node.learned:
        return False
    filler = node.learned[0].filler
    return filler.type == "constant" and filler.value == 0
