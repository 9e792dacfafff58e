"""The gradient of max(x, 0)."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdef.kernels.fast.jit import compiled, same

Array = NDArray[Any]


@compiled
def rectify_back(y: Array, dy: Array, dx: Array) -> None:
    """Write dx = dy where y > 0, 0 elsewhere.

    Args:
        y: flat.
        dy: as y.
        dx: as y; may be dy.
    """
    none = dy.dtype.type(0)
    if same(dx, dy):
        for n in range(y.size):
            share, top = dx[n], y[n]
            dx[n] = share if top > 0 else none
    else:
        for n in range(y.size):
            share, top = dy[n], y[n]
            dx[n] = share if top > 0 else none
