"""The settings of a solver message that are numbers and words, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netdef import solvers
from netdef.diag import FieldError, nearest
from netdef.solvers.base import Rule, number
from netdef.solvers.policies import Policy, read_policy
from netdef.solvers.update import Preparation

if TYPE_CHECKING:
    from netdef.schema import SolverParameter

# Fields that only some rules or policies read.
_OF_RULES = ("momentum", "momentum2", "rms_decay", "delta")
_OF_POLICIES = ("gamma", "power", "stepsize", "stepvalue")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a solver does in an update.

    Attributes:
        rule: the formula.
        policy: the rate.
        preparation: clipping, iter_size, decay.
    """

    rule: Rule
    policy: Policy
    preparation: Preparation


def read_settings(
    message: SolverParameter, complain: Callable[[FieldError], None]
) -> Settings | None:
    """Check every setting of an update.

    Args:
        message: the solver.
        complain: called with each mistake.

    Returns:
        The settings, None where any is wrong.
    """
    parts: list[Any] = []
    for read in (_read_rule, read_policy, _read_preparation):
        try:
            parts.append(read(message))
        except FieldError as error:
            complain(error)
    for count in _bad_counts(message):
        complain(count)
        parts.clear()
    return Settings(*parts) if len(parts) == 3 else None


def unused_fields(message: SolverParameter, settings: Settings) -> Iterator[tuple[str, str]]:
    """Fields that are set and that nothing reads, each with what does not read it."""
    for field in _OF_RULES:
        if message.HasField(field) and field not in settings.rule.uses:  # type: ignore[arg-type]
            yield field, f"the rule {settings.rule.type}"
    for field in _OF_POLICIES:
        given = message.stepvalue if field == "stepvalue" else message.HasField(field)  # type: ignore[arg-type]
        if given and field not in settings.policy.uses:
            yield field, f"the policy {settings.policy.type}"


def _read_rule(message: SolverParameter) -> Rule:
    found = solvers.find(message.type)
    if found is None:
        near = nearest(message.type, solvers.types(), most=1)
        raise FieldError(
            "type",
            f"is no solver: `{message.type}`",
            f'write `type: "{near[0]}"`' if near else f"there are {', '.join(solvers.types())}",
        )
    return found.read(message)


def _read_preparation(message: SolverParameter) -> Preparation:
    if message.iter_size < 1:
        raise FieldError("iter_size", f"must be at least 1, is {message.iter_size}")
    if message.regularization_type not in ("L1", "L2"):
        raise FieldError(
            "regularization_type",
            f"must be L1 or L2, is `{message.regularization_type}`",
        )
    return Preparation(
        message.iter_size,
        number(message, "clip_gradients"),
        number(message, "clip_value", least=0) if message.HasField("clip_value") else None,
        number(message, "weight_decay"),
        message.regularization_type,
    )


def _bad_counts(message: SolverParameter) -> Iterator[FieldError]:
    """Counts of iterations that no loop can use."""
    for field, least in (
        ("max_iter", 0),
        ("display", 0),
        ("snapshot", 0),
        ("test_interval", 0),
        ("average_loss", 1),
    ):
        value = getattr(message, field)
        if value < least:
            yield FieldError(field, f"must be at least {least}, is {value}")
    for index, value in enumerate(message.test_iter):
        if value < 1:
            yield FieldError(f"test_iter[{index}]", f"must be at least 1, is {value}")
