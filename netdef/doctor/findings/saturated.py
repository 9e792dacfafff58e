"""Sigmoids and hyperbolic tangents at their limits."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.doctor.figures import Figures
from netdef.doctor.findings import common

_MANY = 0.5


class SaturatedUnits(Problem):
    """Most values of a Sigmoid or TanH are at its limits, where it hands on no gradient.

    What comes in is too large: the weights before it, or data that is not normalised.

    Example:
        weight_filler { type: "gaussian" std: 1 }
    Write:
        weight_filler { type: "xavier" }
    """

    code = "N806"
    default_severity = Severity.WARNING


def saturated(figures: Figures) -> Iterator[Problem]:
    """Find layers most of whose values are at the limits, and the weights before them."""
    net = figures.net
    for blob in figures.blobs:
        if blob.saturated is None or blob.saturated < _MANY or not blob.gradient.count:
            continue
        node = figures.node(blob)
        bottom = common.inputs_of(figures, node)
        source = figures.node(bottom) if bottom is not None else node
        made = bottom.node if bottom is not None else -1
        weights = next((w for w in figures.weights if w.node == made), None)
        notes: tuple[str, ...] = ()
        if bottom is not None:
            notes = (f"what comes in is {common.number(bottom.data.rms)} large, root mean square",)
        fix = None
        if weights is not None and weights.layer not in figures.copied:
            fix = common.filler_fix(net, source, weights.role, 'type: "xavier"')
        yield SaturatedUnits(
            f"{100 * blob.saturated:.0f} % of the values of `{blob.layer}` are at the limits of "
            f"the {blob.type}",
            common.filler_place(net, source, "weight") if weights else common.at(net, node, "type"),
            label="too large for what stands behind" if weights else "hands on no gradient there",
            notes=notes,
            help='write `weight_filler { type: "xavier" }`, and scale the data to about 1',
            fixes=common.fixes([fix]),
        )
        return
