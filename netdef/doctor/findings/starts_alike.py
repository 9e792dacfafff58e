"""Weights that start at 0."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Label, Problem, Severity
from netdef.doctor.figures import Figures
from netdef.doctor.findings import common

_TYPES = ("InnerProduct", "Convolution", "Deconvolution")


class StartsAlike(Problem):
    """All weights of a layer that stands before others start at 0.

    Its units are alike and stay alike, and the layers before it get no gradient. Caffe fills
    with 0 where no `weight_filler` is written.

    Example:
        inner_product_param { num_output: 10 }
    Write:
        inner_product_param { num_output: 10 weight_filler { type: "xavier" } }
    """

    code = "N807"
    default_severity = Severity.WARNING


def starts_alike(figures: Figures) -> Iterator[Problem]:
    """Find weights of 0 before other weights; the last layer learns from zeros as well."""
    net = figures.net
    zero = []
    for weights in figures.weights:
        node = figures.node(weights)
        behind = any(weights.node in common.before(net, w.node) for w in figures.weights)
        if node.type in _TYPES and weights.role == "weight" and not weights.data.squares and behind:
            zero.append(weights)
    if not zero:
        return
    labels, changes = [], []
    for weights in zero:
        node = figures.node(weights)
        span = common.filler_place(net, node, "weight")
        if span is not None:
            labels.append(Label(span, f"the weights of `{node.name}` start at 0"))
        changes.append(common.filler_fix(net, node, "weight", 'type: "xavier"'))
    for weights in figures.weights:  # the last ones too: else the others get no gradient at first
        node = figures.node(weights)
        if weights not in zero and not weights.data.squares and node.type in _TYPES:
            changes.append(common.filler_fix(net, node, "weight", 'type: "xavier"'))
    moving = [w for w in zero if any(w.ratios) or w.gradient.squares]
    yield StartsAlike(
        f"the weights of {common.names(f'`{w.layer}`' for w in zero)} start at 0: all units are "
        "alike, and stay so",
        labels[0].span if labels else None,
        label=labels[0].text if labels else "",
        labels=tuple(labels[1:]),
        notes=() if moving else ("their gradients are 0 in every iteration",),
        help='write `weight_filler { type: "xavier" }`',
        fixes=common.fixes(changes),
    )
