"""ReLUs that are never open."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.doctor.figures import BlobFigures, Figures
from netdef.doctor.findings import common
from netdef.graph import Node

_MANY = 0.75  # of a layer's units; after a random start up to half of few units may be closed
_FEWEST = 4


class DeadUnits(Problem):
    """Most units of a ReLU gave 0 for every example: they get no gradient, and stay so.

    A unit is dead when its input is below 0 for all data: a negative bias, or an update that
    was too large.

    Example:
        bias_filler { type: "constant" value: -10 }
    Write:
        bias_filler { type: "constant" value: 0.1 }
    """

    code = "N805"
    default_severity = Severity.WARNING


def dead_units(figures: Figures) -> Iterator[Problem]:
    """Find ReLUs most of whose units never open, the first of those behind each other."""
    told: set[int] = set()
    for blob in figures.blobs:
        if blob.dead is None or blob.units < _FEWEST or blob.dead < _MANY * blob.units:
            continue
        if told & common.before(figures.net, blob.node):
            told.add(blob.node)
            continue
        told.add(blob.node)
        yield _problem(figures, blob)


def _problem(figures: Figures, blob: BlobFigures) -> Problem:
    net = figures.net
    node = figures.node(blob)
    maker = _maker(figures, node)
    words = f"{blob.dead} of {blob.units} units of `{blob.layer}` gave 0 for every example"
    bias = None if maker is None else _bias(figures, maker)
    if maker is None or bias is None:
        return DeadUnits(
            words,
            common.at(net, node, "type"),
            label="hardly a unit opens",
            help="try a smaller `base_lr`, or look at the sign of what comes in",
        )
    return DeadUnits(
        f"{words}: the bias of `{maker.name}` is {common.number(bias)} on average",
        common.filler_place(net, maker, "bias"),
        label="keeps the ReLU behind it closed",
        notes=(f"an update changes nothing there: the gradient of `{blob.layer}` is 0",),
        help='write `bias_filler { type: "constant" value: 0.1 }`',
        fixes=common.fixes([common.filler_fix(net, maker, "bias", 'type: "constant" value: 0.1')]),
    )


def _maker(figures: Figures, node: Node) -> Node | None:
    """The layer with weights that a ReLU's values come from."""
    net = figures.net
    while node.bottoms and node.bottoms[0] is not None:
        node = net.nodes[net.blobs[node.bottoms[0]].producer]
        if node.params:
            return node
    return None


def _bias(figures: Figures, node: Node) -> float | None:
    """Mean of a layer's bias, where it starts below 0."""
    for param in figures.params:
        if param.param in node.params and param.role == "bias" and param.data.mean < 0:
            return param.data.mean
    return None
