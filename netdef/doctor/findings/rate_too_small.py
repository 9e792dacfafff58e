"""A rate with which nothing moves."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from netdef.diag import Problem, Severity
from netdef.doctor.figures import Figures

_STILL = 1e-7


class RateTooSmall(Problem):
    """No update changes anything by more than a ten millionth of it.

    float32 has seven digits: such updates are lost in the rounding. The rate is too small for
    these gradients.

    Example:
        base_lr: 1e-9
    Write:
        base_lr: 0.01
    """

    code = "N813"
    default_severity = Severity.WARNING


def rate_too_small(figures: Figures) -> Iterator[Problem]:
    """Look whether anything moves at all."""
    ratios = [w.ratio for w in figures.weights if isfinite(w.ratio) and w.gradient.squares]
    if not ratios or max(ratios) >= _STILL:
        return
    yield RateTooSmall(
        f"no update changes any weights by more than {max(ratios):.1g} of their size",
        figures.solver.spans.find(("base_lr",)),
        label="too small a rate for these gradients",
        notes=("updates of about 0.001 of the weights are usual",),
        help="`netdef lr-range` finds a rate by trying",
    )
