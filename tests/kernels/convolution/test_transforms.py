"""Winograd's matrices against the sums that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.convolution.transforms import POINTS, transforms

SIZES = [(2, 3), (4, 3), (5, 3), (4, 5)]


@pytest.mark.parametrize(("m", "r"), SIZES)
def test_a_tile_is_a_correlation(m, r):
    n = m + r - 1
    random = np.random.default_rng(1)
    d, w = random.standard_normal((n, n)), random.standard_normal((r, r))
    t = transforms(m, r)
    y = t.output @ ((t.weight @ w.ravel()) * (t.input @ d.ravel()))
    seen = np.lib.stride_tricks.sliding_window_view(d, (r, r))
    np.testing.assert_allclose(y.reshape(m, m), np.einsum("ijkl,kl", seen, w), atol=1e-12)


def test_points_differ():
    for n, points in POINTS.items():
        assert len(set(points)) == n - 1
