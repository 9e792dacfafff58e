"""Caffe's seven learning rate policies: the rate as a function of the iteration.

Source: caffe/src/caffe/solvers/sgd_solver.cpp, the formulas only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from netdef.diag import FieldError, nearest
from netdef.solvers.base import needed, number

if TYPE_CHECKING:
    from netdef.schema import SolverParameter


@dataclass(frozen=True, slots=True)
class Policy:
    """Base of all policies.

    Attributes:
        type: as in `lr_policy`.
        uses: fields of the solver message that the policy reads besides `base_lr`.
        base_lr: what the policy starts from.
    """

    type: ClassVar[str] = ""
    uses: ClassVar[frozenset[str]] = frozenset()

    base_lr: float

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Read the settings of a solver message.

        Raises:
            FieldError: a setting is missing or one the policy cannot work with.
        """
        return cls(number(message, "base_lr"))

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


def _policy(type_name: str) -> Callable[[P], P]:
    def register(cls: P) -> P:
        cls.type = type_name
        _REGISTRY[type_name] = cls
        return cls

    return register


@_policy("fixed")
@dataclass(frozen=True, slots=True)
class Fixed(Policy):
    """The same rate always.

    Formula:
        base_lr
    """

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr


@_policy("step")
@dataclass(frozen=True, slots=True)
class Step(Policy):
    """A factor every `stepsize` iterations.

    Formula:
        base_lr * gamma ^ floor(iteration / stepsize)
    """

    gamma: float
    stepsize: int

    uses = frozenset({"gamma", "stepsize"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma and a stepsize of 1 or more."""
        needed(message, "gamma", "the policy step")
        needed(message, "stepsize", "the policy step")
        if message.stepsize < 1:
            raise FieldError("stepsize", f"must be at least 1, is {message.stepsize}")
        return cls(number(message, "base_lr"), number(message, "gamma"), message.stepsize)

    def advance(self, iteration: int, steps: int) -> int:
        """Whole stepsizes so far."""
        return iteration // self.stepsize

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * _power(self.gamma, steps)


@_policy("exp")
@dataclass(frozen=True, slots=True)
class Exp(Policy):
    """A factor every iteration.

    Formula:
        base_lr * gamma ^ iteration
    """

    gamma: float

    uses = frozenset({"gamma"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma."""
        needed(message, "gamma", "the policy exp")
        return cls(number(message, "base_lr"), number(message, "gamma"))

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * _power(self.gamma, iteration)


@_policy("inv")
@dataclass(frozen=True, slots=True)
class Inv(Policy):
    """A slow fall that never ends.

    Formula:
        base_lr * (1 + gamma * iteration) ^ -power
    """

    gamma: float
    power: float

    uses = frozenset({"gamma", "power"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma of 0 or more, and power."""
        needed(message, "gamma", "the policy inv")
        needed(message, "power", "the policy inv")
        return cls(
            number(message, "base_lr"), number(message, "gamma", least=0), number(message, "power")
        )

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * _power(1 + self.gamma * iteration, -self.power)


@_policy("multistep")
@dataclass(frozen=True, slots=True)
class MultiStep(Policy):
    """A factor at each of the `stepvalue`s.

    Formula:
        base_lr * gamma ^ steps, where an iteration at or past the next stepvalue makes one step
    """

    gamma: float
    stepvalues: tuple[int, ...]

    uses = frozenset({"gamma", "stepvalue"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma and stepvalues that do not fall."""
        needed(message, "gamma", "the policy multistep")
        values = tuple(message.stepvalue)
        if not values:
            raise FieldError("stepvalue", "is missing, the policy multistep needs it")
        for index, (before, value) in enumerate(pairwise(values), 1):
            if value < before:
                raise FieldError(
                    f"stepvalue[{index}]",
                    f"must not be less than the one before, {before}, is {value}",
                )
        return cls(number(message, "base_lr"), number(message, "gamma"), values)

    def advance(self, iteration: int, steps: int) -> int:
        """At most one step more, as in Caffe: equal stepvalues step in successive iterations."""
        due = steps < len(self.stepvalues) and iteration >= self.stepvalues[steps]
        return steps + due

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * _power(self.gamma, steps)


@_policy("poly")
@dataclass(frozen=True, slots=True)
class Poly(Policy):
    """A fall that reaches 0 at `max_iter`.

    Formula:
        base_lr * (1 - iteration / max_iter) ^ power
    """

    power: float
    max_iter: int

    uses = frozenset({"power", "max_iter"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs power, and a max_iter of 1 or more."""
        needed(message, "power", "the policy poly")
        needed(message, "max_iter", "the policy poly")
        if message.max_iter < 1:
            raise FieldError("max_iter", f"must be at least 1 for poly, is {message.max_iter}")
        return cls(number(message, "base_lr"), number(message, "power"), message.max_iter)

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula; 0 from max_iter on."""
        return self.base_lr * _power(max(0.0, 1 - iteration / self.max_iter), self.power)


@_policy("sigmoid")
@dataclass(frozen=True, slots=True)
class Sigmoid(Policy):
    """A fall (gamma < 0) or rise (gamma > 0) around `stepsize`.

    Formula:
        base_lr / (1 + e ^ (-gamma * (iteration - stepsize)))
    """

    gamma: float
    stepsize: int

    uses = frozenset({"gamma", "stepsize"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma and stepsize."""
        needed(message, "gamma", "the policy sigmoid")
        needed(message, "stepsize", "the policy sigmoid")
        return cls(number(message, "base_lr"), number(message, "gamma"), message.stepsize)

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        slope = -self.gamma * (iteration - self.stepsize)
        return 0.0 if slope > 700 else self.base_lr / (1 + exp(slope))


POLICIES = tuple(_REGISTRY)


def read_policy(message: SolverParameter) -> Policy:
    """The policy that `lr_policy` names, with its settings.

    Raises:
        FieldError: the policy is missing or unknown, or one of its settings is wrong.
    """
    needed(message, "base_lr", "a solver")
    if not message.HasField("lr_policy"):
        raise FieldError("lr_policy", "is missing", 'write `lr_policy: "fixed"` for one rate')
    found = _REGISTRY.get(message.lr_policy)
    if found is None:
        near = nearest(message.lr_policy, POLICIES, most=1)
        raise FieldError(
            "lr_policy",
            f"is no policy: `{message.lr_policy}`",
            f'write `lr_policy: "{near[0]}"`' if near else f"the policies are {_list(POLICIES)}",
        )
    return found.read(message)


def _list(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _power(base: float, exponent: float) -> float:
    """A power that overflows to infinity, as in C, rather than raise."""
    try:
        return float(base**exponent)
    except (OverflowError, ZeroDivisionError):
        return inf
