"""What an update rule is: settings, slots, and the formula for one parameter.

A rule is a frozen dataclass whose fields are its checked prototxt settings. It turns a gradient
into what is subtracted from the parameter, and keeps what it must remember in its slots. Clipping,
decay and the division by iter_size come before it, in `update`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

from netdef.diag import FieldError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netdef.schema import SolverParameter

    Array = NDArray[Any]


class Slot(NamedTuple):
    """An array that a rule keeps for each parameter, shaped as the parameter.

    Attributes:
        name: its letter in the rule's formula.
        meaning: what it holds, in a few words.
    """

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Base of all update rules. A subclass is one `type` of solver, in the file of that name.

    Attributes:
        slots: what the rule remembers; a snapshot's history holds the first slot of every
            parameter, then the second of every parameter.
        uses: fields of the solver message that the rule reads.
    """

    type: ClassVar[str] = ""
    slots: ClassVar[tuple[Slot, ...]] = ()
    uses: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Read the settings of a solver message.

        Raises:
            FieldError: a setting is one the rule cannot work with.
        """
        raise NotImplementedError

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """What to subtract from a stretch of one parameter, by the rule's formula.

        A parameter comes in stretches that fit the processor's cache, all arrays flat and of one
        length. Every value stands for itself: a rule sees no norms and no neighbours.

        Args:
            rate: learning rate times the parameter's lr_mult.
            diff: the gradient, clipped and decayed; may be overwritten.
            history: the slots, to be brought up to date in place.
            step: updates made before this one.
            scratch: two arrays to work in; what they hold is unspecified.

        Returns:
            An array of the caller's: `diff`, a slot or a scratch array.
        """
        raise NotImplementedError


def number(
    message: SolverParameter, field: str, least: float | None = None, below: float | None = None
) -> float:
    """A float field, checked to be finite, at least `least` and less than `below`.

    Raises:
        FieldError: it is not.
    """
    value = float(getattr(message, field))
    if not isfinite(value):
        raise FieldError(field, f"must be a finite number, is {value:g}")
    if least is not None and value < least:
        raise FieldError(field, f"must be at least {least:g}, is {value:g}")
    if below is not None and value >= below:
        raise FieldError(field, f"must be less than {below:g}, is {value:g}")
    return value


def needed(message: SolverParameter, field: str, whom: str) -> None:
    """Refuse a message that does not set a field.

    Raises:
        FieldError: the field is not set.
    """
    if not message.HasField(field):  # type: ignore[arg-type]  # mypy knows the names as literals
        raise FieldError(field, f"is missing, {whom} needs it")


def refuse_momentum(message: SolverParameter, whom: str) -> None:
    """Refuse a momentum other than 0, for rules that have none.

    Raises:
        FieldError: momentum is set.
    """
    if message.momentum != 0:
        raise FieldError(
            "momentum",
            f"must be 0 for {whom}, is {message.momentum:g}",
            "leave `momentum` out, or take a rule that has one",
        )


_REGISTRY: dict[str, type[Rule]] = {}

R = TypeVar("R", bound=type[Rule])


def rule(type_name: str) -> Callable[[R], R]:
    """Register a class under Caffe's name for the rule."""

    def register(cls: R) -> R:
        cls.type = type_name
        _REGISTRY[type_name] = cls
        return cls

    return register


def registered() -> Mapping[str, type[Rule]]:
    """The rules whose files have been imported."""
    return _REGISTRY
