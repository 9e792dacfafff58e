"""Adam."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("Adam", caffes=True)
@dataclass(frozen=True, slots=True)
class Adam(base.Rule):
    """Momentum over the recent size of the gradients, both corrected for their start at 0.

    Formula:
        t = step + 1
        m = momentum * m + (1 - momentum) * g
        v = momentum2 * v + (1 - momentum2) * g²
        w = w - rate * √(1 - momentum2^t) / (1 - momentum^t) * m / (√v + delta)
    With `epsilon_mode: PAPER`, as in PyTorch:
        w = w - rate * m / (1 - momentum^t) / (√(v / (1 - momentum2^t)) + delta)
    Source:
        caffe/src/caffe/solvers/adam_solver.cpp; Kingma and Ba, Adam, 2014, end of section 2
    """

    momentum: float = 0.0
    momentum2: float = 0.999
    delta: float = 1e-8
    paper: bool = False

    slots: ClassVar[tuple[base.Slot, ...]] = (
        base.Slot("m", "moving mean of gradients"),
        base.Slot("v", "moving mean of squared gradients"),
    )
    uses = frozenset({"momentum", "momentum2", "delta", "epsilon_mode"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Both means need decays in [0, 1): at 1 the correction would divide by 0."""
        return cls(
            base.number(message, "momentum", least=0, below=1),
            base.number(message, "momentum2", least=0, below=1),
            base.number(message, "delta", least=0),
            message.epsilon_mode == message.PAPER,
        )

    def correction(self, step: int) -> float:
        """What undoes the means' start at 0, by updates made before."""
        t = step + 1
        return sqrt(1 - self.momentum2**t) / (1 - self.momentum**t)

    def offset(self, step: int) -> float:
        """What is added to √v, so that for PAPER delta is added to the root of the corrected v."""
        return self.delta * sqrt(1 - self.momentum2 ** (step + 1)) if self.paper else self.delta

    def formula(self) -> str:
        """With delta where `epsilon_mode` puts it."""
        text = base.Rule.formula(self)
        return text.replace("+ delta)", "+ √(1 - momentum2^t) * delta)") if self.paper else text

    def scalars(self, step: int) -> tuple[base.Scalar, ...]:
        """The decays' powers and what comes of them."""
        t = step + 1
        return (
            base.Scalar(
                "momentum^t", self.momentum**t, "beta1^t, which TensorFlow saves as beta1_power"
            ),
            base.Scalar(
                "momentum2^t", self.momentum2**t, "beta2^t, which TensorFlow saves as beta2_power"
            ),
            base.Scalar(
                "√(1 - momentum2^t) / (1 - momentum^t)",
                self.correction(step),
                "factor on the rate, for m and v began at 0",
            ),
        )

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The mean gradient over the root of the mean square."""
        m, v = history
        part, _ = scratch
        np.multiply(diff, 1 - self.momentum, out=part)
        m *= self.momentum
        m += part
        diff *= diff
        diff *= 1 - self.momentum2
        v *= self.momentum2
        v += diff
        np.sqrt(v, out=diff)
        diff += self.offset(step)
        np.divide(m, diff, out=part)
        part *= rate * self.correction(step)
        return part
