"""AdaGrad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("AdaGrad", caffes=True)
@dataclass(frozen=True, slots=True)
class AdaGrad(base.Rule):
    """Steps that shrink where gradients have been large.

    Formula:
        s = s + g²
        w = w - rate * g / (√s + delta)
    Source:
        caffe/src/caffe/solvers/adagrad_solver.cpp
    """

    delta: float = 1e-8

    slots = (base.Slot("s", "sum of all squared gradients"),)
    uses = frozenset({"momentum", "delta"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Refuses momentum, as Caffe does."""
        base.refuse_momentum(message, "AdaGrad", "Adam")
        return cls(base.number(message, "delta", least=0))

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The gradient over the root of what has been summed."""
        (s,) = history
        root = scratch[0]
        np.multiply(diff, diff, out=root)
        s += root
        np.sqrt(s, out=root)
        root += self.delta
        diff /= root
        diff *= rate
        return diff
