"""Nesterov's accelerated gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("Nesterov", caffes=True)
@dataclass(frozen=True, slots=True)
class Nesterov(base.Rule):
    """Momentum that looks ahead to where the last step is about to lead.

    Formula:
        u = v
        v = momentum * v + rate * g
        w = w - ((1 + momentum) * v - momentum * u)
    Source:
        caffe/src/caffe/solvers/nesterov_solver.cpp
    """

    momentum: float = 0.0

    slots = (base.Slot("v", "last step of the momentum"),)
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
        """The new v, corrected by the old one."""
        (v,) = history
        old, ahead = scratch
        np.multiply(v, self.momentum, out=old)
        diff *= rate
        np.add(old, diff, out=v)
        np.multiply(v, 1 + self.momentum, out=ahead)
        ahead -= old
        return ahead
