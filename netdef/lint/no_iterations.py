"""A solver that stops before it begins."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.lint.look import SolverLook


class NoIterations(Problem):
    """The solver has no `max_iter`, and trains for 0 iterations.

    Example:
        base_lr: 0.01 lr_policy: "fixed"
    Write:
        base_lr: 0.01 lr_policy: "fixed" max_iter: 10000

    `netdef train --max-iter` says it for one run.
    """

    code = "N721"
    default_severity = Severity.WARNING


def no_iterations(look: SolverLook) -> Iterator[Problem]:
    """Find a max_iter that is missing or 0 where nothing else ends the training."""
    message = look.message
    if message.max_iter or message.max_time:
        return
    given = message.HasField("max_iter")
    yield NoIterations(
        f"`max_iter` is {'0' if given else 'missing'}: training ends before it begins",
        look.place("max_iter"),
        help="write how long to train: `max_iter: 10000`",
    )
