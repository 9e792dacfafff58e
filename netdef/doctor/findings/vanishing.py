"""Gradients that hardly reach the first layers."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Fix, Label, Problem, Severity
from netdef.doctor.figures import Figures, ParamFigures
from netdef.doctor.findings import common
from netdef.layers.filler import Filler

# A gradient this many times smaller than one behind it is starved; without a cause that is
# seen, only one that is much smaller still.
_STARVED, _HOPELESS = 100.0, 1e5
# Updates below this part of the weights do not get anywhere; about 1e-3 is usual.
_STILL = 1e-4
# A layer that hands on less than this part of its signal; AlexNet's smallest hands on 0.19.
_WEAK = 0.1
_FEWEST_WEAK = 2  # behind one weak layer nothing is lost that its own growth does not bring back
_SQUASHES = ("Sigmoid", "TanH")
_FEWEST_SQUASHES = 3


class VanishingGradients(Problem):
    """The gradients of the first layers are so small that these layers do not learn.

    On its way back a gradient is multiplied by the weights of each layer. With weights of 0.001
    and 16 units, each layer hands on less than a hundredth, so that one more hidden layer makes
    the first layer's gradients about a thousand times smaller: only the last bias moves, and the
    net ends at a constant answer. Sigmoids do it too: each hands on a quarter at most.

    Example:
        weight_filler { type: "gaussian" std: 0.001 }
    Write weights that keep the size of what passes, and biases that keep ReLUs open:
        weight_filler { type: "xavier" }
        bias_filler { type: "constant" value: 0.1 }
    """

    code = "N803"
    default_severity = Severity.WARNING


def vanishing(figures: Figures) -> Iterator[Problem]:
    """Find layers with weights that hardly get a gradient, and why."""
    pair = _starved(figures)
    if pair is None:
        return
    starved, fed = pair
    times = fed.gradient.rms / starved.gradient.rms
    weak = _weak(figures, starved)
    squashes = [
        node
        for index, node in enumerate(figures.net.nodes)
        if node.type in _SQUASHES and starved.node in common.before(figures.net, index)
    ]
    words = (
        f"the gradient of {starved.name} is {common.number(times)} times smaller than "
        f"that of {fed.name}"
    )
    notes = (
        f"spread of the gradients: {starved.gradient.std:.2g} in `{starved.layer}`, "
        f"{fed.gradient.std:.2g} in `{fed.layer}`",
        f"an update changes {starved.name} by {starved.ratio:.1g} of its size; about 1e-3 is usual",
    )
    if len(weak) >= _FEWEST_WEAK:
        yield _of_fillers(figures, weak, words, notes)
    elif len(squashes) >= _FEWEST_SQUASHES:
        net, first = figures.net, squashes[0]
        yield VanishingGradients(
            words,
            common.at(net, first, "type"),
            label=f"{len(squashes)} layers of {first.type} hand on a part of the gradient each",
            notes=notes,
            help='write `type: "ReLU"`, or put a BatchNorm before each',
        )
    elif times >= _HOPELESS:
        node = figures.node(starved)
        yield VanishingGradients(
            words,
            common.at(figures.net, node, "type"),
            label="hardly gets a gradient",
            notes=notes,
            help="put a BatchNorm and a Scale between the layers behind it, or use fewer",
        )


def _starved(figures: Figures) -> tuple[ParamFigures, ParamFigures] | None:
    """The first weights whose gradient is starved, and those behind them with the largest."""
    for starved in figures.weights:
        if not starved.gradient.rms > 0 or starved.ratio >= _STILL:
            continue
        behind = [w for w in figures.weights if starved.node in common.before(figures.net, w.node)]
        fed = max(behind, key=lambda w: w.gradient.rms, default=starved)
        if fed.gradient.rms >= _STARVED * starved.gradient.rms:
            return starved, fed
    return None


def _weak(figures: Figures, starved: ParamFigures) -> list[ParamFigures]:
    """The starved weights and those behind them that hand on nearly nothing."""
    found = []
    for weights in figures.weights:
        behind = weights is starved or starved.node in common.before(figures.net, weights.node)
        if behind and weights.layer not in figures.copied:
            found.append(weights)
    weak = [w for w in found if common.gain(figures.net, w) < _WEAK]
    return weak if [w for w in weak if w is not starved] else []


def _of_fillers(
    figures: Figures, weak: list[ParamFigures], words: str, notes: tuple[str, ...]
) -> Problem:
    net = figures.net
    labels, changes = [], []
    told = []
    for weights in weak:
        node = figures.node(weights)
        filler = net.params[weights.param].filler
        told.append(f"{filler.type} {_numbers(filler)}")
        share = 100 * common.gain(net, weights)
        span = common.filler_place(net, node, weights.role)
        if span is not None:
            labels.append(Label(span, f"`{weights.layer}` hands on {share:.2g} % of its signal"))
        changes.append(common.filler_fix(net, node, weights.role, 'type: "xavier"'))
        changes.append(_bias_fix(figures, weights))
    fillers = common.names(dict.fromkeys(told))
    which = common.names(w.name for w in weak)
    return VanishingGradients(
        f"{which} start with {fillers}: {words}",
        labels[0].span if labels else None,
        label=labels[0].text if labels else "",
        labels=tuple(labels[1:]),
        notes=notes,
        help='write `weight_filler { type: "xavier" }`, and '
        '`bias_filler { type: "constant" value: 0.1 }` before a ReLU',
        fixes=common.fixes(changes),
    )


def _numbers(filler: Filler) -> str:
    if filler.type == "gaussian":
        return f"std {filler.std:.3g}"
    if filler.type == "uniform":
        return f"{filler.min:.3g} to {filler.max:.3g}"
    return f"{filler.value:.3g}" if filler.type == "constant" else ""


def _bias_fix(figures: Figures, weights: ParamFigures) -> Fix | None:
    """A bias that was filled as small as the weights gets a constant that keeps ReLUs open."""
    net, node = figures.net, figures.node(weights)
    for index in node.params:
        param = net.params[index]
        random = param.filler.type in ("gaussian", "uniform")
        if param.role == "bias" and random and param.filler.spread(param.shape) < _WEAK:
            return common.filler_fix(net, node, "bias", 'type: "constant" value: 0.1')
    return None
