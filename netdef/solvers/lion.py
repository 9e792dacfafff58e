"""Lion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("Lion")
@dataclass(frozen=True, slots=True)
class Lion(base.Rule):
    """Steps of one size: only the sign of the mean gradient counts.

    Every weight moves by the rate itself, so that the rate is to be 3 to 10 times smaller than
    for Adam, and weight_decay as many times larger.

    Formula:
        u = sign(momentum * m + (1 - momentum) * g)
        m = momentum2 * m + (1 - momentum2) * g
        w = w - rate * decay * w
        w = w - rate * u
    Source:
        Chen et al., Symbolic Discovery of Optimization Algorithms, 2023
    """

    momentum: float = 0.9
    momentum2: float = 0.99

    slots = (base.Slot("m", "moving mean of gradients"),)
    uses = frozenset({"momentum", "momentum2"})
    decoupled = True

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """The paper's 0.9 and 0.99 where none are given."""
        return cls(
            base.number_or(message, "momentum", 0.9, least=0, below=1),
            base.number_or(message, "momentum2", 0.99, least=0, below=1),
        )

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The rate with the sign of the mean as it would be with other decay."""
        (m,) = history
        u, part = scratch
        np.multiply(m, self.momentum, out=u)
        np.multiply(diff, 1 - self.momentum, out=part)
        u += part
        m *= self.momentum2
        diff *= 1 - self.momentum2
        m += diff
        np.sign(u, out=u)
        u *= rate
        return u
