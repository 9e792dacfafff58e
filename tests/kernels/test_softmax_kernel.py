"""Softmax written over its own input, and its gradient over dy."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.softmax import softmax, softmax_gradient


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_in_place(axis):
    x, dy = np.random.default_rng(0).standard_normal((2, 2, 3, 5))
    peak = np.empty_like(x.take([0], axis))
    y = np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
    jacobian_product = y * dy - y * (y * dy).sum(axis=axis, keepdims=True)
    softmax(x, axis, peak, x)
    np.testing.assert_allclose(x, y)
    softmax_gradient(x, dy, axis, peak, np.empty_like(x), dy)
    np.testing.assert_allclose(dy, jacobian_product, atol=1e-14)
