"""A small array along some axes of a large one: a bias, a factor, a mean for each channel.

The large array is seen as (outer, length, inner). The small one has either a value for each place
along its length, or one for each outer and inner place: images innermost, each with its own.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.kernels.blocks import BLOCK

Array = NDArray[Any]
Shape3 = tuple[int, int, int]


class Piece(NamedTuple):
    """Matching parts of the two arrays, as indices of their views; the large part has no gaps."""

    large: tuple[slice, slice, slice]
    small: tuple[slice, slice, slice]


class Along:
    """How the small array lies, and the work in pieces that stay in cache.

    Args:
        large: (outer, length, inner).
        dtype: of both arrays.
        own: the small array has a value for each outer and inner place, not along the length.

    Example:
        >>> along = Along((1, 3, 20), np.float32)
        >>> along.small(np.zeros(3, np.float32)).shape
        (1, 3, 1)
    """

    def __init__(self, large: Shape3, dtype: DTypeLike, *, own: bool = False) -> None:
        self._large = large
        self._own = own
        self._small = (large[0], 1, large[2]) if own else (1, large[1], 1)
        self._ones = np.ones(large[1] if own else min(large[2], BLOCK), dtype)
        self.pieces = _cut(large, own=own)

    @property
    def block(self) -> int:
        """Values in the largest piece."""
        return max((prod(_extent(p.large)) for p in self.pieces), default=0)

    def large(self, array: Array) -> Array:
        """A view of a contiguous array as (outer, length, inner)."""
        assert array.flags.c_contiguous, "this array has gaps"
        return array.reshape(self._large)

    def small(self, array: Array) -> Array:
        """A view of the small array that broadcasts over the large one."""
        assert array.flags.c_contiguous, "this array has gaps"
        return array.reshape(self._small)

    def add_sum(self, large: Array, small: Array) -> None:
        """Add the sum of a piece of the large array to that of the small one."""
        if self._own:
            sums = np.matmul(self._ones, large)
            np.add(small, sums[:, None, :], out=small)
        else:
            _add_rows(np.matmul(large, self._ones[: large.shape[2]]), small)

    def mean(self, large: Array) -> Array:
        """The mean over the length of a piece, which is left to broadcast; only with `own`."""
        sums = np.matmul(self._ones, large)
        np.divide(sums, self._large[1], out=sums)
        means: Array = sums[:, None, :]
        return means

    def add_products(
        self, one: Array, other: Array, small: Array, scratch: Array | None = None
    ) -> None:
        """Add the sum of the products of two pieces.

        Args:
            one: a piece of a large array.
            other: the same piece of another.
            small: the piece of the small array that is added to.
            scratch: `block` values; only with `own`.
        """
        if self._own:
            assert scratch is not None
            products = scratch[: one.size].reshape(one.shape)
            np.multiply(one, other, out=products)
            self.add_sum(products, small)
        else:
            _add_rows(np.vecdot(one, other), small)

    def affine(self, x: Array, factor: Array, offset: Array | None, y: Array) -> None:
        """Write y = x * factor + offset for a piece.

        Args:
            x: a piece of a large array.
            factor: the piece of a small one.
            offset: likewise; None for none.
            y: the same piece of another large array; may be x.
        """
        np.multiply(x, factor, out=y)
        if offset is not None:
            np.add(y, offset, out=y)

    def affine_back(
        self,
        x: Array,
        factor: Array,
        dy: Array,
        dfactor: Array | None,
        doffset: Array | None,
        dx: Array | None,
        scratch: Array,
        *,
        add: bool,
    ) -> None:
        """The gradient of `affine`, of a piece.

        Args:
            x: as there.
            factor: as there.
            dy: gradient by y.
            dfactor: added to, unless None.
            doffset: added to, unless None.
            dx: gradient by x; None where nobody wants it; may be dy.
            scratch: `block` values.
            add: to what dx holds.
        """
        if dfactor is not None:
            self.add_products(dy, x, dfactor, scratch)
        if doffset is not None:
            self.add_sum(dy, doffset)
        if dx is None:
            return
        if add:
            share = scratch[: dy.size].reshape(dy.shape)
            np.multiply(dy, factor, out=share)
            np.add(dx, share, out=dx)
        else:
            np.multiply(dy, factor, out=dx)


def _add_rows(sums: Array, small: Array) -> None:
    """Add (outer, length) sums to (1, length, 1)."""
    row = small[0, :, 0]
    np.add(row, sums[0] if len(sums) == 1 else np.add.reduce(sums, axis=0), out=row)


def _cut(large: Shape3, *, own: bool) -> tuple[Piece, ...]:
    """Parts of about `BLOCK` values, as few as can be; a length that is summed stays whole."""
    outer, length, inner = large
    if 0 in large:
        return ()
    steps = [
        max(1, BLOCK // (length * inner)),
        length if own else min(length, max(1, BLOCK // inner)),
        inner if own else min(inner, BLOCK),
    ]
    pieces = []
    for a in range(0, outer, steps[0]):
        for b in range(0, length, steps[1]):
            for c in range(0, inner, steps[2]):
                at = (
                    slice(a, min(outer, a + steps[0])),
                    slice(b, min(length, b + steps[1])),
                    slice(c, min(inner, c + steps[2])),
                )
                every = slice(None)
                pieces.append(Piece(at, (at[0], every, at[2]) if own else (every, at[1], every)))
    return tuple(pieces)


def _extent(at: tuple[slice, slice, slice]) -> tuple[int, ...]:
    return tuple(s.stop - s.start for s in at)
