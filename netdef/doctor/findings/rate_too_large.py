"""A rate with which training goes astray."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from netdef.diag import Fix, Problem, Severity
from netdef.doctor.figures import Figures
from netdef.doctor.findings import common

_LARGE = 0.1  # updates of a tenth of the weights are a hundred times the usual
_RISE = 2.0  # of the loss, beside where it began
_USUAL = 3e-3


class RateTooLarge(Problem):
    """The updates are so large beside the weights that the loss rises.

    An update of about a thousandth of the weights is usual. Updates of a tenth and more throw
    away what the weights were; the loss jumps, and often ends as NaN.

    Example:
        base_lr: 5
    Write:
        base_lr: 0.01
    """

    code = "N802"
    default_severity = Severity.ERROR


def rate_too_large(figures: Figures) -> Iterator[Problem]:
    """Compare updates with weights where the loss rises or is lost."""
    ratios = [(max(w.ratios), w) for w in figures.weights if w.ratios and w.data.rms > 0]
    if not ratios or not figures.losses:
        return
    largest, weights = max(ratios, key=lambda pair: pair[0])
    start, rest = figures.losses[0], figures.losses[1:]
    finite = [loss for loss in rest if isfinite(loss)]
    lost = figures.poison is not None or len(finite) < len(rest)
    high = max(finite, default=start)
    level = max(start, figures.chance.value if figures.chance else 0.0)
    if not isfinite(largest) or largest < _LARGE or not (lost or high > _RISE * level):
        return
    became = "NaN" if lost and high <= _RISE * level else common.number(high)
    first = next(r for r in weights.ratios)
    least = figures.rate * min(1.0, _USUAL / max(first, largest / 10))
    rate = common.rounded(least) if least > 0 else "0.001"
    span = figures.solver.spans.find(("base_lr",))
    yield RateTooLarge(
        f"the loss goes from {common.number(start)} to {became}: updates are up to "
        f"{common.number(largest)} times as large as {weights.name} itself",
        span,
        label="too large a rate",
        notes=("updates of about 0.001 of the weights are usual",),
        help=f"write `base_lr: {rate}`; `netdef lr-range` finds the rate by trying",
        fixes=(Fix(span, rate, safe=False),) if span.text else (),
    )
