"""What the lints of solvers look at."""

from __future__ import annotations

from dataclasses import dataclass

from netdef.diag import Span
from netdef.graph import Net
from netdef.schema import SolverParameter
from netdef.schema.document import Document
from netdef.text import SpanMap


@dataclass(frozen=True, slots=True)
class SolverLook:
    """A solver with its nets, as far as they are understood.

    Attributes:
        document: the solver as read.
        train: the net to train.
        tests: the nets to test, one for each `test_iter`.
    """

    document: Document
    train: Net | None = None
    tests: tuple[Net, ...] = ()

    @property
    def message(self) -> SolverParameter:
        """The solver as written."""
        assert isinstance(self.document.message, SolverParameter)
        return self.document.message

    def place(self, dotted: str) -> Span:
        """Where a field stands: `stepvalue[1]`."""
        return self.document.spans.find(SpanMap.parse(dotted))
