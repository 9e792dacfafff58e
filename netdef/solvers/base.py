"""What an update rule is: settings, slots, and the formula for one parameter.

A rule is a frozen dataclass whose fields are its checked prototxt settings. It turns a gradient
into what is subtracted from the parameter, and keeps what it must remember in its slots. Clipping,
decay and the division by iter_size come before it, in `update`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from itertools import takewhile
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


class Scalar(NamedTuple):
    """A number of a formula that depends on the iteration alone.

    Attributes:
        name: as the formula writes it.
        value: of the number.
        meaning: what it is, in a few words.
    """

    name: str
    value: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Base of all update rules. A subclass is one `type` of solver, in the file of that name.

    Attributes:
        slots: what the rule remembers; a snapshot's history holds the first slot of every
            parameter, then the second of every parameter.
        uses: fields of the solver message that the rule reads.
        caffes: whether Caffe has it too.
        decoupled: weight decay shrinks the parameter itself, before the step, and is no part of
            the gradient.
        layerwise: the rate of each parameter is multiplied by `scale`.
    """

    type: ClassVar[str] = ""
    slots: ClassVar[tuple[Slot, ...]] = ()
    uses: ClassVar[frozenset[str]] = frozenset()
    caffes: ClassVar[bool] = False
    decoupled: ClassVar[bool] = False
    layerwise: ClassVar[bool] = False

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

    def scale(self, weight: float, gradient: float, decay: float) -> float:
        """A factor on the rate of a whole parameter, for rules that are `layerwise`.

        Args:
            weight: L2 norm of the parameter.
            gradient: L2 norm of its gradient, clipped and not decayed.
            decay: weight_decay times the parameter's decay_mult.
        """
        del weight, gradient, decay
        return 1.0

    def formula(self) -> str:
        """The update as the docstring has it: one line a step, names of fields as letters."""
        return formula_in(type(self).__doc__)

    def scalars(self, step: int) -> tuple[Scalar, ...]:
        """What the formula has that depends on the iteration alone, and so is in no file.

        Args:
            step: updates made before.
        """
        del step
        return ()


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


def number_or(
    message: SolverParameter,
    field: str,
    default: float,
    least: float | None = None,
    below: float | None = None,
) -> float:
    """A float field as `number` checks it; `default`, not the message's own, where it is not set.

    Raises:
        FieldError: it is set to what it may not be.
    """
    if not message.HasField(field):  # type: ignore[arg-type]  # mypy knows the names as literals
        return default
    return number(message, field, least, below)


def needed(message: SolverParameter, field: str, whom: str) -> None:
    """Refuse a message that does not set a field.

    Raises:
        FieldError: the field is not set.
    """
    if not message.HasField(field):  # type: ignore[arg-type]  # mypy knows the names as literals
        raise FieldError(field, f"is missing, {whom} needs it")


def refuse_momentum(message: SolverParameter, whom: str, instead: str) -> None:
    """Refuse a momentum other than 0, for rules that have none.

    Args:
        message: the solver.
        whom: the rule's type.
        instead: a type that has one.

    Raises:
        FieldError: momentum is set.
    """
    if message.momentum != 0:
        raise FieldError(
            "momentum",
            f"must be 0 for {whom}, is {message.momentum:g}: Caffe too stops at it",
            f'leave `momentum` out, or write `type: "{instead}"`, which has one',
        )


def formula_in(docstring: str | None) -> str:
    """What stands under `Formula:` in a docstring."""
    lines = cleandoc(docstring or "").splitlines()
    begin = lines.index("Formula:") + 1
    found = takewhile(lambda line: line.startswith("    "), lines[begin:])
    return "\n".join(line.strip() for line in found)


_REGISTRY: dict[str, type[Rule]] = {}

R = TypeVar("R", bound=type[Rule])


def rule(type_name: str, *, caffes: bool = False) -> Callable[[R], R]:
    """Register a class under its `type`.

    Args:
        type_name: as in a solver's file.
        caffes: Caffe has it too, under the same name.
    """

    def register(cls: R) -> R:
        cls.type = type_name
        cls.caffes = caffes
        _REGISTRY[type_name] = cls
        return cls

    return register


def registered() -> Mapping[str, type[Rule]]:
    """The rules whose files have been imported."""
    return _REGISTRY
