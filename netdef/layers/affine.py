"""The epilogue of layers that multiply and shift each channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netdef.layers.base import Array, Epilogue

# Factor and offset of each channel; None for none.
Terms = Callable[[], tuple[Array | None, Array | None]]


class Affine(Epilogue):
    """y = x * factor + offset, channel by channel.

    Args:
        *terms: give factor and offset when a pass starts, for params may have changed; several
            are applied one after the other, as one factor and one offset.
    """

    def __init__(self, *terms: Terms) -> None:
        self._terms = terms
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
        self._factor = None if factor is None else factor[:, None]
        self._offset = None if offset is None else offset[:, None]

    def apply(self, block: Array, first: int) -> None:
        """Multiply and add."""
        rows = slice(first, first + block.shape[-2])
        if self._factor is not None:
            np.multiply(block, self._factor[rows], out=block)
        if self._offset is not None:
            np.add(block, self._offset[rows], out=block)

    def merged(self, after: Epilogue) -> Epilogue | None:
        """One epilogue for this and the next, where that is as simple."""
        return Affine(*self._terms, *after._terms) if isinstance(after, Affine) else None
