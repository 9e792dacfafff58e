"""A report that stays readable, and quick, whatever text is thrown at it."""

from __future__ import annotations

from typing import Protocol

from netdef.diag import Problem, Report
from netdef.text.problems import MoreMistakes

_MOST = 200


class Reports(Protocol):
    """Whatever takes problems: a `Report`, or one that is capped."""

    def add(self, problem: Problem) -> None:
        """Note a problem."""


class Capped:
    """Gathers the problems of a text, and hands the first of them on in the order of the text."""

    def __init__(self, target: Report) -> None:
        self._target = target
        self._problems: list[Problem] = []
        self._uncounted = 0

    def add(self, problem: Problem) -> None:
        """Note a problem."""
        self._problems.append(problem)

    def crowded(self) -> bool:
        """Whether one more would not be shown; then it is counted, and need not be made."""
        if len(self._problems) < 2 * _MOST:
            return False
        self._uncounted += 1
        return True

    def close(self) -> None:
        """Hand them on, and say how many there was no room for."""
        self._problems.sort(key=lambda problem: problem.span.start if problem.span else 0)
        for problem in self._problems[:_MOST]:
            self._target.add(problem)
        more = len(self._problems) + self._uncounted - _MOST
        if more > 0:
            place = self._problems[_MOST].span
            self._target.add(MoreMistakes(f"the text has {more} more mistakes", place))
