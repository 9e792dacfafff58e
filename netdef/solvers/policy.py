"""What a rate policy is: the learning rate as a function of the iteration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from netdef.diag import FieldError
from netdef.solvers.base import number

if TYPE_CHECKING:
    from netdef.schema import SolverParameter


@dataclass(frozen=True, slots=True)
class Policy:
    """Base of all policies.

    Attributes:
        type: as in `lr_policy`.
        uses: fields of the solver message that the policy reads besides `base_lr`.
        missed: fields that are 0 where absent, as in Caffe, with what that makes of the rate and
            what to write.
        base_lr: what the policy starts from.
    """

    type: ClassVar[str] = ""
    uses: ClassVar[frozenset[str]] = frozenset()
    missed: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    base_lr: float

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Read the settings of a solver message.

        Raises:
            FieldError: a setting is missing or one the policy cannot work with.
        """
        return cls(number(message, "base_lr"))

    @classmethod
    def doubts(cls, message: SolverParameter) -> Iterator[FieldError]:
        """What the policy can work with, as Caffe does, and hardly anyone means."""
        for field, effect, help in cls.missed:
            if not message.HasField(field):  # type: ignore[arg-type]  # mypy knows literals
                yield FieldError(field, f"is missing and counts as 0, as in Caffe: {effect}", help)

    def advance(self, iteration: int, steps: int) -> int:
        """Steps that have been made when an iteration starts.

        Args:
            iteration: the one that starts, from 0.
            steps: made when the one before started; what a snapshot calls `current_step`.
        """
        del iteration
        return steps

    def rate(self, iteration: int, steps: int) -> float:
        """The rate of an iteration.

        Args:
            iteration: from 0.
            steps: as `advance` says for it.
        """
        raise NotImplementedError


_REGISTRY: dict[str, type[Policy]] = {}

P = TypeVar("P", bound=type[Policy])


def policy(type_name: str) -> Callable[[P], P]:
    """Register a class under its `lr_policy`."""

    def register(cls: P) -> P:
        cls.type = type_name
        _REGISTRY[type_name] = cls
        return cls

    return register


def registered() -> Mapping[str, type[Policy]]:
    """The policies whose files have been imported."""
    return _REGISTRY


def power(base: float, exponent: float) -> float:
    """A power that overflows to infinity, as in C, rather than raise."""
    try:
        return float(base**exponent)
    except (OverflowError, ZeroDivisionError):
        return inf
