"""Window sums against sums of slices."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.window_sum import WindowSum, scratch_size


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9, 11])
@pytest.mark.parametrize("axes", [(0,), (1,), (1, 2), (0, 1, 2)])
def test_sums_of_neighbours(size, axes):
    shape, reach = (4, 6, 5), size // 2
    scratch = np.full(scratch_size(shape, axes, size), np.nan)
    windows = WindowSum(shape, axes, size, scratch)
    windows.clear()
    out = np.empty(shape)
    for seed in range(2):  # what lies around stays 0
        x = np.random.default_rng(seed).standard_normal(shape)
        windows.inside[...] = x
        windows.sum(out)
        for at in np.ndindex(shape):
            near = tuple(
                slice(max(0, i - reach), i + reach + 1) if axis in axes else i
                for axis, i in enumerate(at)
            )
            assert out[at] == pytest.approx(x[near].sum())
        np.testing.assert_array_equal(windows.inside, x)
