"""Caffe's seven learning rate policies, and which one a solver names.

Source: caffe/src/caffe/solvers/sgd_solver.cpp, the formulas only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import TYPE_CHECKING, Self

from netdef.diag import FieldError, nearest, surely
from netdef.solvers import schedules
from netdef.solvers.base import needed, number
from netdef.solvers.policy import Policy, policy, registered
from netdef.solvers.policy import power as raised

if TYPE_CHECKING:
    from netdef.schema import SolverParameter


# A missing field, what that makes of the rate, and what to write.
_STEPS_TO_0 = ("gamma", "the rate is 0 from the first step on", "write a factor: `gamma: 0.1`")
_STAYS = "the rate stays at base_lr"


@policy("fixed")
@dataclass(frozen=True, slots=True)
class Fixed(Policy):
    """The same rate always.

    Formula:
        base_lr
    """

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr


@policy("step")
@dataclass(frozen=True, slots=True)
class Step(Policy):
    """A factor every `stepsize` iterations.

    Formula:
        base_lr * gamma ^ floor(iteration / stepsize)
    """

    gamma: float
    stepsize: int

    uses = frozenset({"gamma", "stepsize"})
    missed = (_STEPS_TO_0,)

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs a stepsize of 1 or more."""
        needed(message, "stepsize", "the policy step")
        if message.stepsize < 1:
            raise FieldError("stepsize", f"must be at least 1, is {message.stepsize}")
        return cls(number(message, "base_lr"), number(message, "gamma"), message.stepsize)

    def advance(self, iteration: int, steps: int) -> int:
        """Whole stepsizes so far."""
        return iteration // self.stepsize

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * raised(self.gamma, steps)


@policy("exp")
@dataclass(frozen=True, slots=True)
class Exp(Policy):
    """A factor every iteration.

    Formula:
        base_lr * gamma ^ iteration
    """

    gamma: float

    uses = frozenset({"gamma"})
    missed = (("gamma", "the rate is 0 from iteration 1 on", "write a factor: `gamma: 0.999`"),)

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Any gamma."""
        return cls(number(message, "base_lr"), number(message, "gamma"))

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * raised(self.gamma, iteration)


@policy("inv")
@dataclass(frozen=True, slots=True)
class Inv(Policy):
    """A slow fall that never ends.

    Formula:
        base_lr * (1 + gamma * iteration) ^ -power
    """

    gamma: float
    power: float

    uses = frozenset({"gamma", "power"})
    missed = (
        ("gamma", _STAYS, "write how fast it falls: `gamma: 0.0001`"),
        ("power", _STAYS, "write an exponent: `power: 0.75`"),
    )

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma of 0 or more."""
        return cls(
            number(message, "base_lr"), number(message, "gamma", least=0), number(message, "power")
        )

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * raised(1 + self.gamma * iteration, -self.power)


@policy("multistep")
@dataclass(frozen=True, slots=True)
class MultiStep(Policy):
    """A factor at each of the `stepvalue`s.

    Formula:
        base_lr * gamma ^ steps, where an iteration at or past the next stepvalue makes one step
    """

    gamma: float
    stepvalues: tuple[int, ...]

    uses = frozenset({"gamma", "stepvalue"})
    missed = (_STEPS_TO_0,)

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Any stepvalues, in any order."""
        values = tuple(message.stepvalue)
        return cls(number(message, "base_lr"), number(message, "gamma"), values)

    @classmethod
    def doubts(cls, message: SolverParameter) -> Iterator[FieldError]:
        """Also no stepvalues, and such that fall."""
        yield from Policy.doubts.__func__(cls, message)  # type: ignore[attr-defined]
        if not message.stepvalue:
            yield FieldError(
                "stepvalue", f"is missing: {_STAYS}", "write when to step: `stepvalue: 10000`"
            )
        for index, (before, value) in enumerate(pairwise(message.stepvalue), 1):
            if value < before:
                yield FieldError(
                    f"stepvalue[{index}]",
                    f"is {value}, less than {before} before it: as in Caffe, its step comes one "
                    f"iteration after that of {before}",
                    "write the iterations in rising order",
                )

    def advance(self, iteration: int, steps: int) -> int:
        """At most one step more, as in Caffe: equal stepvalues step in successive iterations."""
        due = steps < len(self.stepvalues) and iteration >= self.stepvalues[steps]
        return steps + due

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return self.base_lr * raised(self.gamma, steps)


@policy("poly")
@dataclass(frozen=True, slots=True)
class Poly(Policy):
    """A fall that reaches 0 at `max_iter`.

    Formula:
        base_lr * (1 - iteration / max_iter) ^ power
    """

    power: float
    max_iter: int

    uses = frozenset({"power", "max_iter"})
    missed = (("power", _STAYS, "write an exponent: `power: 1`"),)

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs a max_iter of 1 or more."""
        needed(message, "max_iter", "the policy poly")
        if message.max_iter < 1:
            raise FieldError("max_iter", f"must be at least 1 for poly, is {message.max_iter}")
        return cls(number(message, "base_lr"), number(message, "power"), message.max_iter)

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula; 0 from max_iter on."""
        return self.base_lr * raised(max(0.0, 1 - iteration / self.max_iter), self.power)


@policy("sigmoid")
@dataclass(frozen=True, slots=True)
class Sigmoid(Policy):
    """A fall (gamma < 0) or rise (gamma > 0) around `stepsize`.

    Formula:
        base_lr / (1 + e ^ (-gamma * (iteration - stepsize)))
    """

    gamma: float
    stepsize: int

    uses = frozenset({"gamma", "stepsize"})
    missed = (("gamma", "the rate is half of base_lr throughout", "to fall: `gamma: -0.001`"),)

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs stepsize."""
        needed(message, "stepsize", "the policy sigmoid")
        return cls(number(message, "base_lr"), number(message, "gamma"), message.stepsize)

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        slope = -self.gamma * (iteration - self.stepsize)
        return 0.0 if slope > 700 else self.base_lr / (1 + exp(slope))


POLICIES = (*schedules.POLICIES, *(n for n in registered() if n not in schedules.POLICIES))


def read_policy(message: SolverParameter) -> Policy:
    """The policy that `lr_policy` names, with its settings.

    Raises:
        FieldError: the policy is missing or unknown, or one of its settings is wrong.
    """
    needed(message, "base_lr", "a solver")
    if not message.HasField("lr_policy"):
        raise FieldError("lr_policy", "is missing", 'write `lr_policy: "fixed"` for one rate')
    found = registered().get(message.lr_policy)
    if found is None:
        sure = surely(message.lr_policy, POLICIES, ends_kept=True)
        near = [sure] if sure else nearest(message.lr_policy, POLICIES, most=1)
        raise FieldError(
            "lr_policy",
            f"is no policy: `{message.lr_policy}`",
            f'write `lr_policy: "{near[0]}"`' if near else f"the policies are {_list(POLICIES)}",
            sure,
        )
    return found.read(message)


def _list(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
