"""A learning rate that leads nowhere, or uphill."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.lint.look import SolverLook


class RateNotPositive(Problem):
    """The learning rate is 0 or below.

    A negative `base_lr` climbs the loss in place of going down; 0 changes nothing.

    Example:
        base_lr: -0.01
    Write:
        base_lr: 0.01
    """

    code = "N720"
    default_severity = Severity.WARNING


def rate_not_positive(look: SolverLook) -> Iterator[Problem]:
    """Find a base_lr that is not above 0."""
    message = look.message
    if not message.HasField("base_lr") or message.base_lr > 0:
        return
    up = message.base_lr < 0
    yield RateNotPositive(
        f"`base_lr` is {message.base_lr:g}: training "
        + ("makes the loss larger" if up else "changes nothing"),
        look.place("base_lr"),
        label="below 0" if up else "no step at all",
        help=f"write `base_lr: {-message.base_lr:g}`" if up else "write a rate: `base_lr: 0.01`",
    )
