"""Rows of a matrix picked by number, and the sums that go back to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Index = NDArray[np.intp]


def pick(source: Array, index: Index, target: Array) -> None:
    """Write target[k] = source[index[k]].

    Args:
        source: rows.
        index: numbers of rows, none of them out of bounds.
        target: one row for each number.

    Example:
        >>> y = np.empty((2, 1))
        >>> pick(np.array([[5.0], [7.0]]), np.array([1, 0]), y)
        >>> y.ravel().tolist()
        [7.0, 5.0]
    """
    # any mode but the default writes to `out` without a copy
    np.take(source, index, axis=0, out=target, mode="clip")


def add_back(source: Array, index: Index, target: Array) -> None:
    """Add source[k] to target[index[k]]: the gradient of `pick`.

    A loop over rows: `np.add.at` takes ten times as long where rows are long, and sorting first
    moves every value twice.

    Args:
        source: one row for each number.
        index: numbers of rows, none of them out of bounds.
        target: rows.
    """
    for row, place in zip(source, index.tolist(), strict=True):
        into = target[place]
        np.add(into, row, out=into)
