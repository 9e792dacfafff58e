"""AMSGrad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base
from netdef.solvers.adam import Adam

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("AMSGrad")
@dataclass(frozen=True, slots=True)
class AMSGrad(Adam):
    """Adam that divides by the largest mean square so far, so that steps never grow again.

    Formula:
        t = step + 1
        m = momentum * m + (1 - momentum) * g
        v = momentum2 * v + (1 - momentum2) * g²
        x = max(x, v)
        w = w - rate * √(1 - momentum2^t) / (1 - momentum^t) * m / (√x + delta)
    Source:
        Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018; with Adam's
        correction, as in PyTorch and Keras
    """

    momentum: float = 0.9

    slots = (
        base.Slot("m", "moving mean of gradients"),
        base.Slot("v", "moving mean of squared gradients"),
        base.Slot("x", "largest v so far"),
    )

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """As for Adam, with a momentum of 0.9 where none is given."""
        return cls(
            base.number_or(message, "momentum", 0.9, least=0, below=1),
            base.number(message, "momentum2", least=0, below=1),
            base.number(message, "delta", least=0),
            message.epsilon_mode == message.PAPER,
        )

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The mean gradient over the root of the largest mean square."""
        m, v, x = history
        part, _ = scratch
        np.multiply(diff, 1 - self.momentum, out=part)
        m *= self.momentum
        m += part
        diff *= diff
        diff *= 1 - self.momentum2
        v *= self.momentum2
        v += diff
        np.maximum(x, v, out=x)
        np.sqrt(x, out=diff)
        diff += self.offset(step)
        np.divide(m, diff, out=part)
        part *= rate * self.correction(step)
        return part
