"""Steps of the rate that lie behind the end of training."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Label, Problem, Severity
from netdef.lint.look import SolverLook


class StepNeverComes(Problem):
    """The rate is to change at an iteration that training does not reach.

    Mostly `max_iter` was changed and `stepsize` or `stepvalue` was not.

    Example:
        lr_policy: "multistep" stepvalue: 32000 stepvalue: 48000 max_iter: 32000
    Write:
        lr_policy: "multistep" stepvalue: 32000 stepvalue: 48000 max_iter: 64000
    """

    code = "N722"
    default_severity = Severity.WARNING


def step_never_comes(look: SolverLook) -> Iterator[Problem]:
    """Find a stepsize, or stepvalues, of max_iter or more."""
    message = look.message
    if not message.max_iter:
        return
    late: list[tuple[str, int]] = []
    if message.lr_policy == "step" and message.stepsize >= message.max_iter:
        late.append(("stepsize", message.stepsize))
    if message.lr_policy == "multistep":
        late += [
            (f"stepvalue[{index}]", value)
            for index, value in enumerate(message.stepvalue)
            if value >= message.max_iter
        ]
    for field, value in late:
        name = field.partition("[")[0]
        yield StepNeverComes(
            f"`{name}` is {value}, and training ends at {message.max_iter}",
            look.place(field),
            label="this step never comes",
            labels=(Label(look.place("max_iter"), "the end"),),
            help=f"write a smaller `{name}`, or a larger `max_iter`",
        )
