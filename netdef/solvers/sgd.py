"""SGD with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("SGD", caffes=True)
@dataclass(frozen=True, slots=True)
class SGD(base.Rule):
    """Gradient descent that keeps a share of its last step.

    Formula:
        v = momentum * v + rate * g
        w = w - v
    Source:
        caffe/src/caffe/solvers/sgd_solver.cpp
    """

    momentum: float = 0.0

    slots = (base.Slot("v", "last step, momentum's memory"),)
    uses = frozenset({"momentum"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """Any momentum, as in Caffe."""
        return cls(base.number(message, "momentum", least=0))

    def update(
        self,
        rate: float,
        diff: Array,
        history: tuple[Array, ...],
        step: int,
        scratch: tuple[Array, Array],
    ) -> Array:
        """The new v."""
        (v,) = history
        if self.momentum == 0:
            np.multiply(diff, rate, out=v)
            return v
        v *= self.momentum
        diff *= rate
        v += diff
        return v
