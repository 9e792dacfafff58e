"""AdamW."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.solvers import base
from netdef.solvers.adam import Adam

if TYPE_CHECKING:
    from netdef.schema import SolverParameter


@base.rule("AdamW")
@dataclass(frozen=True, slots=True)
class AdamW(Adam):
    """Adam with weight decay beside it, so that all weights shrink at the same pace.

    In Adam the decay is part of the gradient and is divided by its size: weights with large
    gradients hardly decay. Here it is taken off the weight itself.

    Formula:
        t = step + 1
        m = momentum * m + (1 - momentum) * g
        v = momentum2 * v + (1 - momentum2) * g²
        w = w - rate * decay * w
        w = w - rate * √(1 - momentum2^t) / (1 - momentum^t) * m / (√v + delta)
    Source:
        Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2017; the rate multiplies
        the decay as in PyTorch
    """

    momentum: float = 0.9

    decoupled = True

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """As for Adam, with a momentum of 0.9 where none is given."""
        return cls(
            base.number_or(message, "momentum", 0.9, least=0, below=1),
            base.number(message, "momentum2", least=0, below=1),
            base.number(message, "delta", least=0),
            message.epsilon_mode == message.PAPER,
        )
