"""Pieces of arrays: all of them, in step, and views."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.blocks import BLOCK, block_size, blocks, zeros

WHOLE = np.arange(2 * 5 * 7.0).reshape(2, 5, 7)


@pytest.mark.parametrize("size", [1, 3, 7, 34, 35, 36, 1000])
@pytest.mark.parametrize(
    "view", [WHOLE, WHOLE[:, 1:4], WHOLE[:, :, ::2], WHOLE[0, 0, ::2], WHOLE[0, 0, 0], WHOLE[:0]]
)
def test_pieces_cover_every_value_once_and_in_step(view, size):
    out, count = np.full(view.shape, -1.0), np.zeros(view.shape)
    for x, y, n in blocks(view, out, count, size=size):
        assert x.shape == y.shape == n.shape
        assert x.ndim == 1
        assert x.size <= size
        y[...] = x
        n += 1
    np.testing.assert_array_equal(out, view)
    assert np.all(count == 1)


def test_block_size_is_that_of_the_largest_piece():
    assert block_size((2, 3)) == 6
    assert block_size((BLOCK, 2)) == BLOCK
    assert block_size(()) == 1


def test_zeros_are_shared_and_cannot_be_written():
    first = zeros(5, np.float32)
    assert first.dtype == np.float32
    assert np.shares_memory(first, zeros(9, np.float32))
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1
