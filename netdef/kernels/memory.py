"""Arrays that begin where a cache line does, of this process alone or shared with its children."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT = 64
"""Bytes of a cache line, and of the widest registers."""

_HUGE = 1 << 22
"""Bytes from which on huge pages are asked for, as NumPy does for its own arrays."""


def aligned_zeros(shape: int | Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """As `np.zeros`, which begins 16 bytes into a line: every wide load would read two.

    Example:
        >>> aligned_zeros((2, 3)).ctypes.data % 64
        0
    """
    kind = np.dtype(dtype)
    sizes, wanted = _sizes(shape, kind)
    raw = np.zeros(wanted + ALIGNMENT, np.uint8)
    begin = -raw.ctypes.data % ALIGNMENT
    return raw[begin : begin + wanted].view(kind).reshape(sizes)


def shared_zeros(shape: int | Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """As `aligned_zeros`, in memory that processes forked from this one write to and see too.

    Example:
        >>> array = shared_zeros((2, 3))
        >>> is_shared(array[0]), is_shared(aligned_zeros(3))
        (True, False)
    """
    kind = np.dtype(dtype)
    sizes, wanted = _sizes(shape, kind)
    memory = mmap.mmap(-1, max(wanted, 1))  # a mapping holds at least a byte
    if wanted >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8, wanted).view(kind).reshape(sizes)


def zeros_beside(array: NDArray[Any]) -> NDArray[Any]:
    """Zeros of an array's shape and type, shared where the array is."""
    return (shared_zeros if is_shared(array) else aligned_zeros)(array.shape, array.dtype)


def is_shared(array: NDArray[Any]) -> bool:
    """Whether an array lies in memory of `shared_zeros`."""
    base: Any = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return isinstance(base, mmap.mmap)


def _sizes(shape: int | Sequence[int], kind: np.dtype[Any]) -> tuple[tuple[int, ...], int]:
    """The shape, and its bytes."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    return sizes, prod(sizes) * kind.itemsize
