"""Weights that start so small that nothing comes through."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod, sqrt

from netdef.diag import Label, Problem, Severity, Span
from netdef.graph import Net, Node
from netdef.graph.problems import place
from netdef.layers.filler import Filler
from netdef.lint.walk import WITH_WEIGHTS, trains

# A layer that hands on less than this part of its signal is one that vanishes; AlexNet's
# smallest, which trains, hands on 0.19.
_LEAST_GAIN = 0.05
# Two such layers still learn: each one's gradient goes by the other, and both soon grow.
_LEAST_LAYERS = 3
_RECTIFIERS = ("ReLU", "PReLU", "ELU", "Swish")
_RESTORE = ("BatchNorm", "MVN", "Softmax", "Sigmoid", "Input", "Parameter", "Embed")


class VanishingStart(Problem):
    """Layers one behind another start with weights so small that no signal comes through.

    A layer multiplies the spread of its values by about `std` times the root of its inputs. With
    `std: 0.001` and 16 inputs 0.4 % come through; behind three such layers and their ReLUs
    a millionth of a millionth of the gradient is left, and the net learns nothing, at any rate.
    One or two small layers still learn, since each grows by the other.

    Example:
        weight_filler { type: "gaussian" std: 0.001 }
    Write, before a ReLU:
        weight_filler { type: "msra" }
    or else:
        weight_filler { type: "xavier" }
    """

    code = "N706"
    default_severity = Severity.WARNING


def vanishing_start(net: Net) -> Iterator[Problem]:
    """Find ways through a net on which three layers or more hand on nearly nothing."""
    if not trains(net):
        return
    runs: dict[int, tuple[int, ...]] = {}
    for position, node in enumerate(net.nodes):
        run = _longest(net, node, runs)
        if node.type in _RESTORE:
            run = ()
        elif node.type in WITH_WEIGHTS and node.learned:
            run = () if _biased(node) else (*run, position) if _gain(node) < _LEAST_GAIN else run
        for top in node.tops:
            runs[top] = run
    told: set[int] = set()
    for run in sorted(runs.values(), key=len, reverse=True):
        if len(run) >= _LEAST_LAYERS and not told & set(run) and _rectified(net, run):
            told.update(run)
            yield _problem(net, run)


def _longest(net: Net, node: Node, runs: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    return max((runs.get(b, ()) for b in node.bottoms if b is not None), key=len, default=())


def _gain(node: Node) -> float:
    """How the spread of a layer's values compares with that of what it reads."""
    weight = node.learned[0]
    fan_in = prod(weight.shape[1:]) or 1
    filler = weight.filler
    if filler.type not in ("gaussian", "uniform"):
        return 1.0
    if filler.type == "gaussian" and filler.sparse >= 0:
        fan_in = min(fan_in, filler.sparse)
    mean = filler.mean if filler.type == "gaussian" else (filler.min + filler.max) / 2
    return sqrt(fan_in * (filler.spread(weight.shape) ** 2 + mean**2))


def _biased(node: Node) -> bool:
    """Whether a bias keeps the values behind a layer from being tiny."""
    return len(node.learned) > 1 and _size(node.learned[1].filler) >= _LEAST_GAIN


def _size(filler: Filler) -> float:
    if filler.type == "constant":
        return abs(filler.value)
    return filler.spread((1, 1)) + abs(filler.mean)


def _rectified(net: Net, run: tuple[int, ...]) -> bool:
    return any(node.type in _RECTIFIERS for node in net.nodes[run[0] : run[-1]])


def _problem(net: Net, run: tuple[int, ...]) -> Problem:
    nodes = [net.nodes[position] for position in run]
    left = prod(_gain(node) for node in nodes)
    names = ", ".join(f"`{node.name}`" for node in nodes[:-1]) + f" and `{nodes[-1].name}`"
    labels = []
    for node in nodes[1:]:
        at = _filler_place(net, node)
        if at is not None:
            labels.append(Label(at, _share(node)))
    return VanishingStart(
        f"hardly anything comes through {names} at the start: {left:.0e} of the signal",
        _filler_place(net, nodes[0]),
        label=_share(nodes[0]),
        labels=tuple(labels),
        help='write `weight_filler { type: "msra" }` before a ReLU, `type: "xavier"` elsewhere',
    )


def _share(node: Node) -> str:
    return f"`{node.name}` hands on {100 * _gain(node):.2g} %"


def _filler_place(net: Net, node: Node) -> Span | None:
    field = "inner_product_param" if node.type == "InnerProduct" else "convolution_param"
    return place(net, node, f"{field}.weight_filler.std")
