"""How netdef talks about a mistake: sources, spans, problems, reports and their rendering.

Knows text positions and sentences. Has never heard of prototxt, layers or arrays.
"""

from netdef.diag.problem import (
    BottomError,
    FieldError,
    Fix,
    Label,
    Problem,
    Severity,
    known_codes,
    respelt,
)
from netdef.diag.report import NetdefError, Report
from netdef.diag.source import Position, Source, Span
from netdef.diag.suggest import nearest, surely

__all__ = [
    "BottomError",
    "FieldError",
    "Fix",
    "Label",
    "NetdefError",
    "Position",
    "Problem",
    "Report",
    "Severity",
    "Source",
    "Span",
    "known_codes",
    "nearest",
    "respelt",
    "surely",
]
