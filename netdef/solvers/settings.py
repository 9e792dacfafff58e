"""The settings of a solver message that are numbers and words, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netdef import solvers
from netdef.diag import FieldError, nearest, surely
from netdef.solvers.base import Rule, number
from netdef.solvers.policies import read_policy
from netdef.solvers.policy import Policy
from netdef.solvers.schedules import WarmUp
from netdef.solvers.update import Preparation

if TYPE_CHECKING:
    from netdef.schema import SolverParameter

# Fields that only some rules or policies read, or that something else must ask for.
OF_RULES = ("momentum", "momentum2", "rms_decay", "delta", "epsilon_mode", "trust_coefficient")
OF_POLICIES = (
    "gamma",
    "power",
    "stepsize",
    "stepvalue",
    "min_lr",
    "pct_start",
    "div_factor",
    "final_div_factor",
    "patience",
)
OF_WATCHING = ("monitor", "monitor_mode", "monitor_interval", "min_delta")

_DECAYS = ("L1", "L2")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a solver does in an update.

    Attributes:
        rule: the formula.
        policy: the rate.
        preparation: clipping, iter_size, decay.
        warmup: how the rate begins.
    """

    rule: Rule
    policy: Policy
    preparation: Preparation
    warmup: WarmUp

    def rate(self, iteration: int, steps: int) -> float:
        """The learning rate of an iteration, before lr_mult.

        Args:
            iteration: from 0.
            steps: as the policy's `advance` says for it.
        """
        return self.warmup.rate(iteration, self.policy.rate(iteration, steps))


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
    for read in (_read_rule, read_policy, _read_preparation, WarmUp.read):
        try:
            parts.append(read(message))
        except FieldError as error:
            complain(error)
    for count in _bad_counts(message):
        complain(count)
        parts.clear()
    return Settings(*parts) if len(parts) == 4 else None


def watches(message: SolverParameter) -> bool:
    """Whether anything depends on how good the net is."""
    return message.lr_policy == "plateau" or message.early_stopping > 0 or message.keep_best


def unused_fields(message: SolverParameter, settings: Settings) -> Iterator[tuple[str, str]]:
    """Fields that are set and that nothing reads, each with what does not read it."""
    for field in OF_RULES:
        if is_set(message, field) and field not in settings.rule.uses:
            yield field, f"the rule {settings.rule.type}"
    for field in OF_POLICIES:
        if is_set(message, field) and field not in settings.policy.uses:
            yield field, f"the policy {settings.policy.type}"
    for field in OF_WATCHING:
        if is_set(message, field) and not watches(message):
            yield field, "a training without plateau, early_stopping and keep_best"
    if is_set(message, "warmup_start_lr") and not message.warmup_iter:
        yield "warmup_start_lr", "a training without warmup_iter"


def doubts(message: SolverParameter, settings: Settings) -> Iterator[FieldError]:
    """Settings that Caffe takes too, and that hardly anyone means."""
    yield from settings.policy.doubts(message)
    if settings.rule.caffes and "momentum2" in settings.rule.uses and not message.momentum:
        yield FieldError(
            "momentum",
            f"is {'0' if is_set(message, 'momentum') else 'missing and counts as 0, as in Caffe'}: "
            f"{settings.rule.type} then keeps no mean of the gradients",
            "write `momentum: 0.9`, the usual beta1",
        )


def is_set(message: SolverParameter, field: str) -> bool:
    """Whether a message sets a field."""
    return any(descriptor.name == field for descriptor, _ in message.ListFields())


def _read_rule(message: SolverParameter) -> Rule:
    found = solvers.find(message.type)
    if found is None:
        sure = surely(message.type, solvers.types(), ends_kept=True)
        near = [sure] if sure else nearest(message.type, solvers.types(), most=1)
        raise FieldError(
            "type",
            f"is no solver: `{message.type}`",
            f'write `type: "{near[0]}"`' if near else f"there are {', '.join(solvers.types())}",
            sure,
        )
    return found.read(message)


def _read_preparation(message: SolverParameter) -> Preparation:
    if message.iter_size < 1:
        raise FieldError("iter_size", f"must be at least 1, is {message.iter_size}")
    if message.regularization_type not in _DECAYS:
        sure = surely(message.regularization_type, _DECAYS)
        raise FieldError(
            "regularization_type",
            f"must be L1 or L2, is `{message.regularization_type}`",
            f'write `regularization_type: "{sure}"`' if sure else "",
            sure,
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
        ("monitor_interval", 1),
        ("early_stopping", 0),
        ("keep_last", 0),
    ):
        value = getattr(message, field)
        if value < least:
            yield FieldError(field, f"must be at least {least}, is {value}")
    for field in ("max_time", "min_delta"):
        value = getattr(message, field)
        if is_set(message, field) and not value >= 0:
            yield FieldError(field, f"must be at least 0, is {value:g}")
    for index, value in enumerate(message.test_iter):
        if value < 1:
            yield FieldError(f"test_iter[{index}]", f"must be at least 1, is {value}")
