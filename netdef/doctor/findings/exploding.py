"""Gradients that grow on their way back."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Fix, Label, Problem, Severity, Span
from netdef.doctor.figures import Figures
from netdef.doctor.findings import common
from netdef.graph import Node

_TIMES = 100.0  # beside the layers behind
_LARGE = 0.1  # update beside the weights
_STRONG = 3.0  # a layer that makes its values that many times larger
_FEWEST_STRONG = 2
_RECURRENT = ("RNN", "LSTM")


class ExplodingGradients(Problem):
    """Gradients grow from layer to layer, or from time step to time step, on their way back.

    Weights that make values larger do the same to gradients; in a recurrent layer the same
    weights do so at every step, and the gradient of a long sequence is enormous. Single updates
    then throw the net off.

    Write, for a recurrent net, in the solver:
        clip_gradients: 10
    and weights that keep the size of what passes:
        weight_filler { type: "xavier" }
    """

    code = "N804"
    default_severity = Severity.WARNING


def exploding(figures: Figures) -> Iterator[Problem]:
    """Find recurrent layers with runaway gradients, and stacks of layers that amplify."""
    yield from _recurrent(figures)
    yield from _stacked(figures)


def _recurrent(figures: Figures) -> Iterator[Problem]:
    message = figures.solver.message
    if message.clip_gradients >= 0:  # type: ignore[union-attr]
        return
    net = figures.net
    for weights in sorted(figures.weights, key=lambda w: -w.gradient.rms):
        node = figures.node(weights)
        if node.type not in _RECURRENT:
            continue
        behind = [
            w.gradient.rms for w in figures.weights if weights.node in common.before(net, w.node)
        ]
        times = weights.gradient.rms / max(behind, default=weights.gradient.rms)
        ratio = max(weights.ratios, default=0.0)
        if not (times >= _TIMES and ratio >= _LARGE):
            continue
        text = figures.solver.source.text
        end = Span(figures.solver.source, len(text), len(text))
        newline = "" if not text or text.endswith("\n") else "\n"
        span = common.filler_place(net, node, weights.role)
        yield ExplodingGradients(
            f"the gradient of {weights.name} is {common.number(times)} times that of the layers "
            "behind it: it grows at every time step",
            span,
            label=f"`{node.name}` multiplies by these weights at every step",
            notes=(
                f"an update changes {weights.name} by up to {common.number(ratio)} of its size",
                f"root mean square of the gradient: {common.number(weights.gradient.rms)}",
            ),
            help="write `clip_gradients: 10` in the solver, and "
            '`weight_filler { type: "xavier" }` here',
            fixes=common.fixes(
                [
                    Fix(end, f"{newline}clip_gradients: 10\n", safe=False),
                    common.filler_fix(net, node, "weight", 'type: "xavier"'),
                ]
            ),
        )
        return


def _stacked(figures: Figures) -> Iterator[Problem]:
    net = figures.net
    strong = [
        w
        for w in figures.weights
        if common.gain(net, w) > _STRONG
        and w.layer not in figures.copied
        and figures.node(w).type not in (*_RECURRENT, "Embed")
        and not any(n.type in common.RESTORES for n in _readers(figures, w.node))
    ]
    chance = figures.chance
    lost = figures.poison is not None or (
        chance is not None and figures.losses and figures.losses[0] > 3 * chance.value
    )
    if len(strong) < _FEWEST_STRONG or not lost:
        return
    labels, changes = [], []
    for weights in strong:
        node = figures.node(weights)
        span = common.filler_place(net, node, weights.role)
        times = common.number(common.gain(net, weights))
        if span is not None:
            labels.append(Label(span, f"`{node.name}` makes its values {times} times larger"))
        changes.append(common.filler_fix(net, node, weights.role, 'type: "xavier"'))
    which = common.names(w.name for w in strong)
    began = f"the first loss is {common.number(figures.losses[0])}" if figures.losses else ""
    if chance is not None:
        began += f", that of chance {common.number(chance.value)} ({chance.words})"
    yield ExplodingGradients(
        f"values and gradients grow from layer to layer: {which} start too large",
        labels[0].span if labels else None,
        label=labels[0].text if labels else "",
        labels=tuple(labels[1:]),
        notes=(began,) if began else (),
        help='write `weight_filler { type: "xavier" }`',
        fixes=common.fixes(changes),
    )


def _readers(figures: Figures, node: int) -> Iterator[Node]:
    for top in figures.net.nodes[node].tops:
        for reader, _ in figures.net.blobs[top].consumers:
            yield figures.net.nodes[reader]
