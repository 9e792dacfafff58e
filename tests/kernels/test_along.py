"""A small array along a large one, against broadcasting and sums of everything at once."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.along import Along
from netdef.kernels.blocks import BLOCK

SHAPES = [
    (1, 3, 5),
    (4, 3, 5),
    (2, 70, 1 << 11),  # cut along its length
    (3, 2, BLOCK + 7),  # cut along inner
    (200, 5, 101),  # cut along outer
    (0, 3, 5),
]


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
class TestAlong:
    def arrays(self, shape, own):
        along = Along(shape, np.float64, own=own)
        random = np.random.default_rng(1)
        small = (shape[0], 1, shape[2]) if own else (1, shape[1], 1)
        return along, random.standard_normal(shape), random.standard_normal(small)

    def test_pieces_cover_everything_once(self, shape, own):
        along, x, small = self.arrays(shape, own)
        seen = np.zeros(shape)
        y = np.empty(shape)
        for large, part in along.pieces:
            seen[large] += 1
            assert seen[large].size <= along.block
            assert seen[large].flags.c_contiguous or own
            np.multiply(x[large], small[part], out=y[large])
        assert np.all(seen == 1)
        np.testing.assert_array_equal(y, x * small)

    def test_pieces_stay_in_cache(self, shape, own):
        whole = shape[1] if own else 1
        assert Along(shape, np.float64, own=own).block <= max(BLOCK, whole * shape[2])

    def test_sums(self, shape, own):
        along, x, small = self.arrays(shape, own)
        other = np.random.default_rng(2).standard_normal(shape)
        sums, products = np.zeros_like(small), np.zeros_like(small)
        scratch = np.empty(along.block)
        for large, part in along.pieces:
            along.add_sum(x[large], sums[part])
            along.add_products(x[large], other[large], products[part], scratch)
        axes = (1,) if own else (0, 2)
        np.testing.assert_allclose(sums, x.sum(axes, keepdims=True), atol=1e-9)
        np.testing.assert_allclose(products, (x * other).sum(axes, keepdims=True), atol=1e-9)


def test_mean_is_left_to_broadcast():
    x = np.random.default_rng(1).standard_normal((4, 3, 5))
    mean = Along(x.shape, np.float64, own=True).mean(x)
    np.testing.assert_allclose(mean, x.mean(1, keepdims=True))
