"""Walk several arrays in step, in pieces that stay in cache."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

BLOCK = 1 << 16  # values: a few float32 pieces of this size fit a core's cache


def blocks(*arrays: Array, size: int = BLOCK) -> Iterator[tuple[Array, ...]]:
    """Matching flat pieces of arrays of one shape, views all of them.

    Args:
        arrays: of one shape; those that are not contiguous are walked along their first axis.
        size: most values in a piece.

    Example:
        >>> [len(x) for x, in blocks(np.zeros((2, 5)), size=4)]
        [4, 4, 2]
    """
    if all(a.flags.c_contiguous for a in arrays):
        flat = [a.reshape(-1) for a in arrays]
    elif arrays[0].ndim == 1:
        flat = list(arrays)
    else:
        for rows in zip(*arrays, strict=True):
            yield from blocks(*rows, size=size)
        return
    count = flat[0].size
    if count <= size:
        yield tuple(flat)
        return
    for start in range(0, count, size):
        yield tuple(a[start : start + size] for a in flat)


def block_size(shape: tuple[int, ...], size: int = BLOCK) -> int:
    """Values in the largest piece that `blocks` makes of an array of that shape."""
    return min(size, int(np.prod(shape, dtype=np.int64)))


def zeros(count: int, dtype: DTypeLike) -> Array:
    """At most `BLOCK` zeros, read only and shared by all.

    `np.maximum(x, zeros)` takes a third of the time of `np.maximum(x, 0)`.
    """
    return _zeros(np.dtype(dtype))[:count]


@cache
def _zeros(dtype: np.dtype[Any]) -> Array:
    array = np.zeros(BLOCK, dtype)
    array.flags.writeable = False
    return array
