"""RMSProp with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("RMSPropMomentum")
@dataclass(frozen=True, slots=True)
class RMSPropMomentum(base.Rule):
    """RMSProp's steps, each with a share of the last one.

    A type of its own, for Caffe's RMSProp refuses momentum and its states have no place for v.

    Formula:
        s = rms_decay * s + (1 - rms_decay) * g²
        v = momentum * v + rate * g / √(s + delta)
        w = w - v
    With `epsilon_mode: CAFFE`, as in PyTorch:
        v = momentum * v + rate * g / (√s + delta)
    Source:
        Tieleman and Hinton, Lecture 6.5, 2012; the place of delta and of the rate as in
        TensorFlow
    """

    momentum: float = 0.0
    rms_decay: float = 0.99
    delta: float = 1e-8
    inside: bool = True

    slots = (
        base.Slot("s", "moving mean of squared gradients"),
        base.Slot("v", "last step, momentum's memory"),
    )
    uses = frozenset({"momentum", "rms_decay", "delta", "epsilon_mode"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Any momentum; refuses the epsilon_mode of a correction that the rule does not have."""
        mode = message.epsilon_mode if message.HasField("epsilon_mode") else message.TENSORFLOW
        if mode == message.PAPER:
            raise FieldError(
                "epsilon_mode",
                "is about a correction that RMSPropMomentum does not have",
                "write CAFFE for √s + delta, or TENSORFLOW for √(s + delta)",
            )
        return cls(
            base.number(message, "momentum", least=0),
            base.number(message, "rms_decay", least=0, below=1),
            base.number(message, "delta", least=0),
            mode == message.TENSORFLOW,
        )

    def formula(self) -> str:
        """With delta where `epsilon_mode` puts it."""
        text = base.Rule.formula(self)
        return text if self.inside else text.replace("√(s + delta)", "(√s + delta)")

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The new v."""
        s, v = history
        root = scratch[0]
        np.multiply(diff, diff, out=root)
        root *= 1 - self.rms_decay
        s *= self.rms_decay
        s += root
        if self.inside:
            np.add(s, self.delta, out=root)
            np.sqrt(root, out=root)
        else:
            np.sqrt(s, out=root)
            root += self.delta
        diff /= root
        diff *= rate
        v *= self.momentum
        v += diff
        return v
