"""Arrays that begin where a cache line does."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT = 64
"""Bytes of a cache line, and of the widest registers."""


def aligned_zeros(shape: int | Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """As `np.zeros`, which begins 16 bytes into a line: every wide load would read two.

    Example:
        >>> aligned_zeros((2, 3)).ctypes.data % 64
        0
    """
    kind = np.dtype(dtype)
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    wanted = prod(sizes) * kind.itemsize
    raw = np.zeros(wanted + ALIGNMENT, np.uint8)
    begin = -raw.ctypes.data % ALIGNMENT
    return raw[begin : begin + wanted].view(kind).reshape(sizes)
