"""RMSProp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("RMSProp", caffes=True)
@dataclass(frozen=True, slots=True)
class RMSProp(base.Rule):
    """Steps measured by the recent size of the gradients.

    Formula:
        s = rms_decay * s + (1 - rms_decay) * g²
        w = w - rate * g / (√s + delta)
    Source:
        caffe/src/caffe/solvers/rmsprop_solver.cpp
    """

    rms_decay: float = 0.99
    delta: float = 1e-8

    slots = (base.Slot("s", "moving mean of squared gradients"),)
    uses = frozenset({"momentum", "rms_decay", "delta"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Refuses momentum and an rms_decay outside of [0, 1), as Caffe does."""
        base.refuse_momentum(message, "RMSProp", "RMSPropMomentum")
        return cls(
            base.number(message, "rms_decay", least=0, below=1),
            base.number(message, "delta", least=0),
        )

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The gradient over the root of the moving mean."""
        (s,) = history
        root = scratch[0]
        np.multiply(diff, diff, out=root)
        root *= 1 - self.rms_decay
        s *= self.rms_decay
        s += root
        np.sqrt(s, out=root)
        root += self.delta
        diff /= root
        diff *= rate
        return diff
