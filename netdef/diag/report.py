"""Problems gathered in one go, and the error that carries them."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag.problem import Problem, Severity


class Report:
    """All problems of a run, in the order they were found.

    A pass adds to the report and goes on with what it knows; `raise_if_errors` ends it.
    """

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Note a problem; the same one twice counts once."""
        if problem not in self._problems:
            self._problems.append(problem)

    def extend(self, other: Report) -> None:
        """Take over all problems of another report."""
        for problem in other:
            self.add(problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in the order found."""
        return tuple(self._problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Those that stop the work."""
        return tuple(p for p in self._problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Those worth a look that do not stop the work."""
        return tuple(p for p in self._problems if p.severity is Severity.WARNING)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def raise_if_errors(self) -> None:
        """Raise `NetdefError` with this report where it has an error."""
        if not self.ok:
            raise NetdefError(self)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def __len__(self) -> int:
        return len(self._problems)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        from netdef.diag.render import render  # only a report that is shown pays for rendering

        return render(self)


class NetdefError(Exception):
    """A mistake in a user's files or data; prints as the command line does.

    Attributes:
        report: the problems, with code, message and place.
    """

    def __init__(self, report: Report | Problem) -> None:
        if isinstance(report, Problem):
            single, report = report, Report()
            report.add(single)
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)
