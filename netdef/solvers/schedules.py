"""Learning rate policies of netdef's own: cosine, onecycle, plateau; and the warm-up of any."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Self

from netdef.diag import FieldError
from netdef.solvers.base import needed, number
from netdef.solvers.policy import Policy, policy, power

if TYPE_CHECKING:
    from netdef.schema import SolverParameter


@policy("cosine")
@dataclass(frozen=True, slots=True)
class Cosine(Policy):
    """A fall along half a cosine, from base_lr to min_lr at `max_iter`: slow, fast, slow.

    Formula:
        min_lr + (base_lr - min_lr) * (1 + cos(pi * iteration / max_iter)) / 2
    Source:
        Loshchilov and Hutter, SGDR, 2016, without restarts
    """

    min_lr: float
    max_iter: int

    uses = frozenset({"min_lr", "max_iter"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs a max_iter of 1 or more."""
        return cls(number(message, "base_lr"), number(message, "min_lr", least=0), _length(message))

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula; min_lr from max_iter on."""
        return _between(self.base_lr, self.min_lr, iteration / self.max_iter)


@policy("onecycle")
@dataclass(frozen=True, slots=True)
class OneCycle(Policy):
    """A rise to base_lr, then a longer fall to almost nothing; both along half a cosine.

    Formula:
        start = base_lr / div_factor, end = max(start / final_div_factor, min_lr)
        top = pct_start * max_iter - 1
        from start to base_lr at the iteration top, then to end at the iteration max_iter - 1
    Source:
        Smith and Topin, Super-Convergence, 2017; names and curve as in PyTorch, momentum stays
    """

    start: float
    end: float
    top: float
    max_iter: int

    uses = frozenset({"min_lr", "max_iter", "pct_start", "div_factor", "final_div_factor"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs a max_iter of 1 or more, factors above 0, and a pct_start between 0 and 1."""
        base_lr = number(message, "base_lr")
        factors = [number(message, name) for name in ("div_factor", "final_div_factor")]
        for name, factor in zip(("div_factor", "final_div_factor"), factors, strict=True):
            if factor <= 0:
                raise FieldError(name, f"must be more than 0, is {factor:g}")
        share = number(message, "pct_start", least=0, below=1)
        length = _length(message)
        start = base_lr / factors[0]
        end = max(start / factors[1], number(message, "min_lr", least=0))
        return cls(base_lr, start, end, max(share * length - 1, 0.0), length)

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula; the end's rate from max_iter on."""
        if iteration < self.top:
            return _between(self.start, self.base_lr, iteration / self.top)
        fall = max(self.max_iter - 1 - self.top, 1.0)
        return _between(self.base_lr, self.end, (iteration - self.top) / fall)


@policy("plateau")
@dataclass(frozen=True, slots=True)
class Plateau(Policy):
    """A factor whenever the monitored value has not got better for `patience` looks.

    Formula:
        max(min_lr, base_lr * gamma ^ steps), where steps counts how often patience ran out
    """

    gamma: float
    min_lr: float

    uses = frozenset({"gamma", "min_lr", "patience", "monitor", "monitor_mode", "min_delta"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Needs gamma below 1, and patience of 1 or more."""
        needed(message, "gamma", "the policy plateau")
        if message.patience < 1:
            raise FieldError("patience", f"must be at least 1, is {message.patience}")
        return cls(
            number(message, "base_lr"),
            number(message, "gamma", least=0, below=1),
            number(message, "min_lr", least=0),
        )

    def rate(self, iteration: int, steps: int) -> float:
        """See the formula."""
        return max(self.base_lr * power(self.gamma, steps), min(self.min_lr, self.base_lr))


POLICIES = ("cosine", "onecycle", "plateau")


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A rise in a line from `start` to what the policy says.

    Formula:
        start + (policy's rate - start) * iteration / iterations

    The policy's iterations are not moved: a stepvalue of 1000 is iteration 1000, warm-up or not.

    Attributes:
        iterations: how many it takes; 0 for none.
        start: rate of the first one.
    """

    iterations: int
    start: float

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Read the settings of a solver message.

        Raises:
            FieldError: one is negative, or no number.
        """
        length = message.warmup_iter
        if length < 0:
            raise FieldError("warmup_iter", f"must be at least 0, is {length}")
        if message.HasField("warmup_start_lr"):
            return cls(length, number(message, "warmup_start_lr", least=0))
        # One step of the rise above 0, so that no iteration is without effect.
        return cls(length, message.base_lr / (length + 1))

    def rate(self, iteration: int, rate: float) -> float:
        """The rate of an iteration, from what the policy says for it."""
        if iteration >= self.iterations:
            return rate
        return self.start + (rate - self.start) * iteration / self.iterations


def _length(message: SolverParameter) -> int:
    """The max_iter that a policy spans.

    Raises:
        FieldError: it is missing, or less than 1.
    """
    whom = message.lr_policy
    needed(message, "max_iter", f"the policy {whom}")
    if message.max_iter < 1:
        raise FieldError("max_iter", f"must be at least 1 for {whom}, is {message.max_iter}")
    return message.max_iter


def _between(first: float, last: float, share: float) -> float:
    """From first to last along half a cosine; last beyond."""
    return last + (first - last) * (1 + cos(pi * min(share, 1.0))) / 2
