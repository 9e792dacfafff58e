"""Softmax along one axis, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def softmax(x: Array, axis: int, peak: Array, y: Array) -> None:
    """y = exp(x - max x) / sum(exp(x - max x)) along an axis.

    Args:
        x: any shape.
        axis: along which the results sum to 1.
        peak: scratch, x's shape with 1 at the axis.
        y: as x; may be x itself.
    """
    np.maximum.reduce(x, axis=axis, out=peak, keepdims=True)
    np.subtract(x, peak, out=y)  # so that exp cannot overflow
    np.exp(y, out=y)
    np.add.reduce(y, axis=axis, out=peak, keepdims=True)
    np.divide(y, peak, out=y)


def softmax_gradient(y: Array, dy: Array, axis: int, total: Array, work: Array, dx: Array) -> None:
    """dx = y * (dy - sum(dy * y)).

    Args:
        y: what `softmax` gave.
        dy: gradient by y.
        axis: as in `softmax`.
        total: scratch, y's shape with 1 at the axis.
        work: scratch, as y.
        dx: as y; may be dy itself.
    """
    np.multiply(dy, y, out=work)
    np.add.reduce(work, axis=axis, out=total, keepdims=True)
    np.subtract(dy, total, out=dx)
    np.multiply(dx, y, out=dx)
