"""Values divided by a measure of how large their neighbours are, and the gradient of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdef.kernels.blocks import BLOCK
from netdef.kernels.window_sum import WindowSum, scratch_size

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """y = x / (k + factor * sum of squares of the neighbours) ** beta.

    Attributes:
        size: neighbours along an axis, the value itself among them; odd.
        factor: of the sum.
        beta: exponent.
        k: added before the exponent.
        across: the neighbours are channels at the same place; otherwise a square in the channel.
    """

    size: int
    factor: float
    beta: float
    k: float
    across: bool


class Part(NamedTuple):
    """A part of the arrays that has all its neighbours and stays in cache.

    Attributes:
        at: where it lies in `Inhibitor._view` of an array.
        sums: sums over neighbours.
        first: whether those need clearing: the part before had other sums.
        base: k + factor * sum of squares; kept for backward.
        one: scratch.
        two: scratch.
    """

    at: tuple[slice, ...]
    sums: WindowSum
    first: bool
    base: Array
    one: Array
    two: Array


class Inhibitor:
    """The formula for arrays of one shape, (c, h, w, n), without gaps and not empty.

    Made once, given its arrays by `bind`, then called again and again. What lies outside of the
    arrays is 0.

    Attributes:
        name: as a plan prints it, where there is another.
    """

    name: str = ""

    def __init__(self, formula: Formula, shape: Shape) -> None:
        self._formula = formula
        self._shape = shape

    def needs(self, *, backward: bool) -> Mapping[str, tuple[int, bool]]:
        """Arrays it works in: how many values, and whether they live from forward to backward."""
        block = self._block
        size = scratch_size(block, self._axes, self._formula.size)
        return {
            "sums": (size, False),
            "one": (prod(block), False),
            "two": (prod(block), False),
            "base": (prod(self._shape if backward else block), backward),
        }

    def bind(self, scratch: Mapping[str, Array], *, backward: bool) -> None:
        """Take the arrays, and cut the work into parts: columns across channels, or channels."""
        block, whole = self._block, self._view_shape
        axis = 1 if self._formula.across else 0
        kept, used = scratch["base"], 0
        known: dict[int, WindowSum] = {}
        self._parts: list[Part] = []
        for begin in range(0, whole[axis], block[axis]):
            count = min(block[axis], whole[axis] - begin)
            part = (*whole[:axis], count, *whole[axis + 1 :])
            first = count not in known
            if first:
                known[count] = WindowSum(part, self._axes, self._formula.size, scratch["sums"])
            size = prod(part)
            self._parts.append(
                Part(
                    (*(slice(None),) * axis, slice(begin, begin + count)),
                    known[count],
                    first,
                    kept[used : used + size].reshape(part),
                    scratch["one"][:size].reshape(part),
                    scratch["two"][:size].reshape(part),
                )
            )
            used += size if backward else 0

    def forward(self, x: Array, y: Array) -> None:
        """Write y, which may be x."""
        bottom, top = self._view(x), self._view(y)
        for at, sums, first, base, power, scratch in self._parts:
            values = bottom[at]
            if first:
                sums.clear()
            np.multiply(values, values, out=sums.inside)
            sums.sum(base)
            np.multiply(base, self._formula.factor, out=base)
            np.add(base, self._formula.k, out=base)
            self._raise(base, power, scratch)
            np.divide(values, power, out=top[at])

    def backward(self, x: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Write dx = g - 2 factor beta * x * sum of (g * x / base) over neighbours.

        Here base is what is raised to beta, and g is dy / base ** beta.

        Args:
            x: as `forward` had it.
            dy: gradient by y.
            dx: gradient by x; may be dy.
            add: to what dx holds.
        """
        bottom, dtop, dbottom = map(self._view, (x, dy, dx))
        for at, sums, first, base, one, g in self._parts:
            values, target = bottom[at], dbottom[at]
            self._raise(base, one, g)
            np.divide(dtop[at], one, out=g)
            if first:
                sums.clear()
            np.multiply(g, values, out=sums.inside)
            np.divide(sums.inside, base, out=sums.inside)
            sums.sum(one)
            np.multiply(one, values, out=one)
            np.multiply(one, -2 * self._formula.beta * self._formula.factor, out=one)
            if add:
                np.add(one, g, out=one)
                np.add(target, one, out=target)
            else:
                np.add(one, g, out=target)

    @property
    def _axes(self) -> tuple[int, ...]:
        """Axes of neighbours in `_view`."""
        return (0,) if self._formula.across else (1, 2)

    @property
    def _view_shape(self) -> Shape:
        """Across: (channels, places); within: (channels, h, w, n)."""
        shape = self._shape
        return (shape[0], prod(shape[1:])) if self._formula.across else shape

    def _view(self, array: Array) -> Array:
        return array.reshape(self._view_shape)

    @property
    def _block(self) -> Shape:
        """Shape of the largest part."""
        shape = self._view_shape
        if self._formula.across:
            return shape[0], min(shape[1], max(64, BLOCK // shape[0]))
        return min(shape[0], max(1, BLOCK // prod(shape[1:]))), *shape[1:]

    def _raise(self, base: Array, out: Array, scratch: Array) -> None:
        """Write base ** beta, without the general power where there is something faster."""
        beta = self._formula.beta
        if beta == 0.75:
            np.sqrt(base, out=out)
            np.sqrt(out, out=scratch)
            np.multiply(out, scratch, out=out)
        elif beta == 0.5:
            np.sqrt(base, out=out)
        elif beta == 1:
            np.copyto(out, base)
        else:
            np.power(base, beta, out=out)
