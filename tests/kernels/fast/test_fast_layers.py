"""The laws of the layers that have compiled kernels, with those."""

from __future__ import annotations

from functools import partial

import pytest

from tests.layers import (
    stand,
    test_batch_norm,
    test_convolution,
    test_pooling,
    test_relu,
    test_scale,
)

pytest.importorskip("numba", reason="compiled kernels need numba")


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(stand, "Site", partial(stand.Site, fast=True))


class TestPoolingCompiled(test_pooling.TestPooling):
    pass


class TestConvolutionCompiled(test_convolution.TestConvolution):
    pass


class TestBatchNormCompiled(test_batch_norm.TestBatchNorm):
    pass


class TestScaleCompiled(test_scale.TestScale):
    pass


class TestReLUCompiled(test_relu.TestReLU):
    pass


test_a_mean_far_from_0 = test_batch_norm.test_a_mean_far_from_0_leaves_the_variance
test_ties = test_pooling.test_of_equal_values_the_first_in_reading_order_takes_the_gradient
test_nan = test_pooling.test_nan_is_never_the_largest
test_no_values = test_batch_norm.test_nothing_to_normalise
test_statistics = test_batch_norm.test_statistics_move
