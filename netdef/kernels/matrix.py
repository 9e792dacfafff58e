"""Arrays seen as matrices, never copied."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def as_rows(array: Array, *leading: int) -> Array:
    """A view of a contiguous array with these leading axes, all others merged into the last.

    A silent copy would lose what is written to it, so an array with gaps is refused.

    Example:
        >>> import numpy as np
        >>> as_rows(np.zeros((4, 2, 3)), 4).shape
        (4, 6)
    """
    assert array.flags.c_contiguous, "this array has gaps"
    return array.reshape(*leading, array.size // max(prod(leading), 1))


def product(a: Array, b: Array, out: Array) -> None:
    """Write `a @ b` where out lies row by row, or column by column.

    BLAS writes rows; into columns it writes the turned product.
    """
    if out.flags.c_contiguous:
        np.matmul(a, b, out=out)
    else:
        np.matmul(b.T, a.T, out=out.T)
