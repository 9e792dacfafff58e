"""Random weights that do not learn."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Fix, Label, Problem, Severity
from netdef.doctor.figures import Figures, ParamFigures
from netdef.doctor.findings import common
from netdef.text import SpanMap

_TYPES = ("InnerProduct", "Convolution", "Deconvolution", "RNN", "LSTM", "Embed")


class FrozenAtRandom(Problem):
    """A layer's weights are random and do not learn: `lr_mult` is 0, and no file gave them.

    That is right for layers whose weights come with `--weights`. From scratch, the layer mixes
    its input at random for ever.

    Example:
        param { lr_mult: 0 }
    Write:
        param { lr_mult: 1 }
    or start from a file:
        netdef train solver.prototxt --weights pretrained.caffemodel
    """

    code = "N810"
    default_severity = Severity.WARNING


def frozen(figures: Figures) -> Iterator[Problem]:
    """Find layers whose random weights have an `lr_mult` of 0."""
    net = figures.net
    found = [p for p in figures.params if _random_and_frozen(figures, p)]
    if not found:
        return
    labels, changes = [], []
    for weights in found:
        node = figures.node(weights)
        for index in range(len(node.params)):
            path = (*node.path, *SpanMap.parse(f"param[{index}].lr_mult"))
            span = net.document.spans.value(path)
            if span is not None and not float(node.message.param[index].lr_mult):
                changes.append(Fix(span, "1" if index == 0 else "2", safe=False))
                if index == 0:
                    labels.append(Label(span, f"`{node.name}` never changes"))
    yield FrozenAtRandom(
        f"{common.names(f'`{w.layer}`' for w in found)} cannot learn: the weights are random, and "
        "`lr_mult` is 0",
        labels[0].span if labels else None,
        label=labels[0].text if labels else "",
        labels=tuple(labels[1:]),
        help="write `lr_mult: 1`, or start from a file with `--weights`",
        fixes=tuple(changes),
    )


def _random_and_frozen(figures: Figures, weights: ParamFigures) -> bool:
    param = figures.net.params[weights.param]
    return (
        not weights.learns
        and not param.statistic
        and param.role == "weight"
        and param.filler.type not in ("constant", "bilinear")
        and figures.node(weights).type in _TYPES
        and weights.layer not in figures.copied
    )
