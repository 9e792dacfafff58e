"""Where the score of a label lies among the scores of all classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def places(shape: tuple[int, ...], axis: int) -> NDArray[Any]:
    """Flat index of class 0 at every position, positions in row order.

    Class k at that position is k * prod(shape[axis + 1:]) further on.

    Args:
        shape: of the scores.
        axis: of the classes.

    Example:
        >>> places((2, 3, 2), 1)
        array([0, 1, 6, 7])
    """
    index = np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
    return np.ascontiguousarray(index.take(0, axis)).reshape(-1)
