"""LARS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("LARS")
@dataclass(frozen=True, slots=True)
class LARS(base.Rule):
    """SGD with momentum whose rate follows, for each parameter, its own size: for large batches.

    Formula:
        l = trust_coefficient * |w| / (|g| + decay * |w|)
        v = momentum * v + rate * l * (g + decay * w)
        w = w - v
    |w| and |g| are the L2 norms of the whole parameter and of its gradient; where either is 0,
    l is 1.
    Source:
        You, Gitman and Ginsburg, Large Batch Training of Convolutional Networks, 2017
    """

    momentum: float = 0.9
    trust_coefficient: float = 0.001

    slots = (base.Slot("v", "last step, momentum's memory"),)
    uses = frozenset({"momentum", "trust_coefficient"})
    layerwise = True

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """A momentum of 0.9 where none is given."""
        return cls(
            base.number_or(message, "momentum", 0.9, least=0),
            base.number(message, "trust_coefficient", least=0),
        )

    def scale(self, weight: float, gradient: float, decay: float) -> float:
        """The l of the formula."""
        if weight == 0 or gradient == 0:
            return 1.0
        return self.trust_coefficient * weight / (gradient + decay * weight)

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The new v; `rate` has l in it, and `diff` the decay."""
        (v,) = history
        v *= self.momentum
        diff *= rate
        v += diff
        return v
