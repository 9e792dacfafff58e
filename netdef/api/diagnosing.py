"""Why a net does not learn: measured, found, and mended in the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netdef.api.texts import Rewritten
from netdef.diag import Problem, Source

if TYPE_CHECKING:
    from netdef.doctor.figures import Figures
    from netdef.run.solver import Solver


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says.

    Attributes:
        figures: all that was measured, layer by layer.
        findings: what is wrong, most serious first: each with evidence in its notes, the place
            in the prototxt, and the change to make.
    """

    figures: Figures
    findings: tuple[Problem, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        from netdef.diag.render import render

        return render(self.findings) or "nothing is wrong with how this net trains"


def diagnose(solver: Solver, iterations: int | None = None) -> Diagnosis:
    """Find out why a net does not learn.

    Args:
        solver: trained for some iterations and brought back to where it stood; nothing is
            tested, shown or written.
        iterations: how many; None for 20, or more where batches are small.

    Raises:
        NetdefError: data is at fault.
    """
    from netdef.doctor.examine import examine
    from netdef.doctor.findings import find

    figures = examine(solver, iterations)
    return Diagnosis(figures, find(figures))


def fixed(findings: Iterable[Problem]) -> list[Rewritten]:
    """The texts of the files in which findings can be mended, changed.

    Nothing is written; `Rewritten.write` does.
    """
    sources: dict[str, tuple[Source, set[tuple[int, int, str]]]] = {}
    for problem in findings:
        for fix in problem.fixes:
            source, edits = sources.setdefault(fix.span.source.name, (fix.span.source, set()))
            edit = (fix.span.start, fix.span.end, fix.replacement)
            if not any(edit[0] < end and start < edit[1] for start, end, _ in edits - {edit}):
                edits.add(edit)
    changed = []
    for name, (source, edits) in sources.items():
        text = source.text
        for start, end, replacement in sorted(edits, reverse=True):
            text = text[:start] + replacement + text[end:]
        changed.append(Rewritten(name, source.text.encode(), text.encode()))
    return changed
