"""Sums over the neighbours of every value, along one axis or several."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]


class WindowSum:
    """Sums over windows centred at each value of arrays of one shape; zeros lie around.

    Write the values into `inside`, then call `sum`.

    Args:
        shape: of the values.
        axes: along which a value has neighbours.
        size: of a window along each of them, odd.
        scratch: `scratch_size` values, whatever is in them.

    Attributes:
        inside: where the values go; `sum` leaves them as they are.

    Example:
        >>> windows = WindowSum((4,), (0,), 3, np.zeros(scratch_size((4,), (0,), 3)))
        >>> windows.clear()
        >>> windows.inside[...] = [1, 2, 3, 4]
        >>> sums = np.zeros(4)
        >>> windows.sum(sums)
        >>> sums
        array([3., 6., 9., 7.])
    """

    def __init__(self, shape: Shape, axes: tuple[int, ...], size: int, scratch: Array) -> None:
        self._axes, self._size = axes, size
        self._stages: list[Array] = []
        used = 0
        for count in range(len(axes)):
            wide = _widened(shape, axes[count:], size)
            self._stages.append(scratch[used : used + prod(wide)].reshape(wide))
            used += prod(wide)
        self._pairs = scratch[used:]
        inner = [slice(None)] * len(shape)
        for axis in axes:
            inner[axis] = slice(size // 2, size // 2 + shape[axis])
        self.inside = self._stages[0][tuple(inner)]

    def clear(self) -> None:
        """Set what lies around the values to 0, and the values with it."""
        self._stages[0].fill(0)

    def sum(self, out: Array) -> None:
        """Write the sums into an array of the values' shape."""
        for axis, source, target in zip(
            self._axes, self._stages, [*self._stages[1:], out], strict=True
        ):
            self._along(axis, source, target)

    def _along(self, axis: int, source: Array, out: Array) -> None:
        size, count = self._size, out.shape[axis]

        def part(array: Array, start: int, length: int = count) -> Array:
            return array[(slice(None),) * axis + (slice(start, start + length),)]

        if size == 1:
            np.copyto(out, source)
        elif size == 3:
            np.add(part(source, 0), part(source, 1), out=out)
            np.add(out, part(source, 2), out=out)
        else:
            # pairs are made once, so a window takes half as many additions
            length = source.shape[axis] - 1
            shape = (*source.shape[:axis], length, *source.shape[axis + 1 :])
            pairs = self._pairs[: prod(shape)].reshape(shape)
            np.add(part(source, 0, length), part(source, 1, length), out=pairs)
            np.add(part(pairs, 0), part(pairs, 2), out=out)
            for start in range(4, size - 1, 2):
                np.add(out, part(pairs, start), out=out)
            np.add(out, part(source, size - 1), out=out)


def scratch_size(shape: Shape, axes: tuple[int, ...], size: int) -> int:
    """Values that a `WindowSum` works in."""
    stages = [prod(_widened(shape, axes[count:], size)) for count in range(len(axes))]
    return sum(stages) + (stages[0] if size > 3 else 0)


def _widened(shape: Shape, axes: tuple[int, ...], size: int) -> Shape:
    return tuple(n + size - 1 if axis in axes else n for axis, n in enumerate(shape))
