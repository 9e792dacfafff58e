"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

_SUMS = {"reassoc", "contract", "nsz"}
"""Sums in any order, which is the same in every run; NaN and infinity keep their meaning."""


def compiled(function: F) -> F:
    """Compile when first called, without the GIL; every operation rounds as it is written.

    An inner loop over a slice is one of vector instructions; one over an index that might be
    negative is not. What is kept on disk depends on the function's own file: whoever changes a
    kernel that others call removes `__pycache__/*.nbi`.
    """
    found: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return found


def summing(function: F) -> F:
    """As `compiled`, for sums and products: they may be reordered, and fused into one rounding.

    Not for loops that write to arrays of which the caller chose the places: whether those are
    far enough apart for vector instructions would then be seen in the last bits.
    """
    found: F = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)(function)
    return found


def inlined(function: F) -> F:
    """As `compiled`, for pieces of a loop over rows: a call with arrays takes as long as a row."""
    found: F = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function)
    return found


def inlined_summing(function: F) -> F:
    """As `summing` and `inlined`."""
    found: F = numba.njit(
        cache=True, nogil=True, error_model="numpy", fastmath=_SUMS, forceinline=True
    )(function)
    return found


@inlined
def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether both start at the same place in memory.

    A loop that reads one array and writes another is one of vector instructions only where the
    two are apart; one that works in place has to name a single array.
    """
    return a.ctypes.data == b.ctypes.data
