"""What the doctor finds: one file a finding, codes N801 to N819, most serious first.

A finding reads figures and yields a problem: in plain words, with the evidence in its notes,
the place in the prototxt, and the change to make as text and as fixes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netdef.diag import Problem
from netdef.doctor.figures import Figures
from netdef.doctor.findings.dead_units import dead_units
from netdef.doctor.findings.exploding import exploding
from netdef.doctor.findings.far_from_chance import far_from_chance
from netdef.doctor.findings.frozen import frozen
from netdef.doctor.findings.labels_alone import labels_alone
from netdef.doctor.findings.not_finite import not_finite
from netdef.doctor.findings.rate_too_large import rate_too_large
from netdef.doctor.findings.rate_too_small import rate_too_small
from netdef.doctor.findings.saturated import saturated
from netdef.doctor.findings.softmax_twice import softmax_twice
from netdef.doctor.findings.starts_alike import starts_alike
from netdef.doctor.findings.unscaled_input import unscaled_input
from netdef.doctor.findings.vanishing import vanishing

__all__ = ["FINDINGS", "find"]

Finding = Callable[[Figures], Iterator[Problem]]

FINDINGS: tuple[tuple[Finding, tuple[Finding, ...]], ...] = (
    # a finding, and those that are no news where it holds: they follow from it
    (not_finite, (dead_units, labels_alone, rate_too_small)),
    (unscaled_input, (rate_too_large, exploding, far_from_chance, saturated, dead_units)),
    (exploding, (rate_too_large, far_from_chance, saturated)),
    (rate_too_large, (far_from_chance, dead_units, saturated)),
    (starts_alike, (vanishing, dead_units, labels_alone, rate_too_small)),
    (vanishing, (dead_units, labels_alone, rate_too_small)),
    (dead_units, (labels_alone, rate_too_small)),
    (saturated, (vanishing, labels_alone)),
    (softmax_twice, (labels_alone,)),
    (frozen, ()),
    (labels_alone, ()),
    (far_from_chance, ()),
    (rate_too_small, ()),
)


def find(figures: Figures) -> tuple[Problem, ...]:
    """All findings, most serious first."""
    found: list[Problem] = []
    explained: set[Finding] = set()
    for finding, follows in FINDINGS:
        if finding in explained:
            continue
        problems = list(finding(figures))
        if problems:
            found += problems
            explained.update(follows)
    return tuple(found)
