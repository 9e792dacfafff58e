"""AdaDelta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.solvers import base

if TYPE_CHECKING:
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Array


@base.rule("AdaDelta", caffes=True)
@dataclass(frozen=True, slots=True)
class AdaDelta(base.Rule):
    """Steps in the parameter's own unit: recent steps over recent gradients.

    Formula:
        s = momentum * s + (1 - momentum) * g²
        d = g * √((u + delta) / (s + delta))
        u = momentum * u + (1 - momentum) * d²
        w = w - rate * d
    Source:
        caffe/src/caffe/solvers/adadelta_solver.cpp
    """

    momentum: float = 0.0
    delta: float = 1e-8

    slots = (
        base.Slot("s", "moving mean of squared gradients"),
        base.Slot("u", "moving mean of squared steps"),
    )
    uses = frozenset({"momentum", "delta"})

    @classmethod
    def read(cls, message: SolverParameter) -> Self:
        """The averages' decay is called momentum here, as in Caffe."""
        return cls(
            base.number(message, "momentum", least=0, below=1),
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
        """The gradient, scaled to recent steps."""
        s, u = history
        ratio, square = scratch
        _average(s, diff, self.momentum, square)
        np.add(u, self.delta, out=ratio)
        np.add(s, self.delta, out=square)
        ratio /= square
        np.sqrt(ratio, out=ratio)
        diff *= ratio
        _average(u, diff, self.momentum, square)
        diff *= rate
        return diff


def _average(mean: Array, value: Array, keep: float, square: Array) -> None:
    """Bring the moving mean of a value's square up to date."""
    np.multiply(value, value, out=square)
    square *= 1 - keep
    mean *= keep
    mean += square
