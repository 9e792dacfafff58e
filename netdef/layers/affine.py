"""The epilogues of layers that multiply, shift and rectify each channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from netdef.layers.base import Array, Epilogue

# Factor and offset of each channel; None for none.
Terms = Callable[[], tuple[Array | None, Array | None]]


class Rectify(Epilogue):
    """y = max(x, 0).

    Args:
        dtype: of blocks.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._none = np.zeros(0, dtype)

    def apply(self, block: Array, first: int) -> None:
        """Compare with a row of zeros: three times as fast as with the number."""
        del first
        columns = block.shape[-1]
        if self._none.size < columns:
            self._none = np.zeros(columns, self._none.dtype)
        np.maximum(block, self._none[:columns], out=block)


class Affine(Epilogue):
    """y = x * factor + offset, channel by channel.

    Args:
        *terms: give factor and offset when a pass starts, for params may have changed; several
            are applied one after the other, as one factor and one offset.
        fast: by a compiled kernel, with the same digits.
        then: is done afterwards, where that is compiled in the same pass.
    """

    def __init__(self, *terms: Terms, fast: bool = False, then: Rectify | None = None) -> None:
        self._terms = terms
        self._fast = fast
        self._then = then
        if fast:
            from netdef.kernels.fast.affine import finish  # compiles, so only if asked

            self._finish = finish
        self._factor: Array | None = None
        self._offset: Array | None = None

    def start(self) -> None:
        """Take the factors and offsets, and make one of them."""
        factor, offset = self._terms[0]()
        for term in self._terms[1:]:
            times, plus = term()
            if times is not None:
                factor = times if factor is None else factor * times
                offset = None if offset is None else offset * times
            if plus is not None:
                offset = plus if offset is None else offset + plus
        if self._fast and factor is None and offset is not None:
            factor = np.ones_like(offset)
        if self._fast and offset is None and factor is not None:
            offset = np.zeros_like(factor)
        self._factor, self._offset = factor, offset

    def apply(self, block: Array, first: int) -> None:
        """Multiply and add."""
        factor, offset = self._factor, self._offset
        rows = slice(first, first + block.shape[-2])
        if self._fast and factor is not None and offset is not None:
            self._finish(block, factor[rows], offset[rows], rectifies=self._then is not None)
            return
        if factor is not None:
            np.multiply(block, factor[rows, None], out=block)
        if offset is not None:
            np.add(block, offset[rows, None], out=block)
        if self._then is not None:
            self._then.apply(block, first)

    def merged(self, after: Epilogue) -> Epilogue | None:
        """One epilogue for this and the next, where that is as simple."""
        if self._then is not None:
            return None
        if isinstance(after, Affine):
            return Affine(*self._terms, *after._terms, fast=self._fast, then=after._then)
        if isinstance(after, Rectify) and self._fast:
            return Affine(*self._terms, fast=True, then=after)
        return None
