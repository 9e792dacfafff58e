"""A pass of the layers where time goes allocates nothing that grows with the data."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from netdef.layers.base import Backward
from netdef.layers.batch_norm import BatchNorm
from netdef.layers.bias import Bias
from netdef.layers.convolution import Convolution
from netdef.layers.inner_product import InnerProduct
from netdef.layers.lrn import LRN
from netdef.layers.mvn import MVN
from netdef.layers.pooling import Pooling
from netdef.layers.prelu import PReLU
from netdef.layers.scale import Scale
from tests.layers.laws import Case, Stand

UFUNC_BUFFERS = 150_000
"""Bytes: three of 8192 values of float32, which NumPy takes for strided operands, and change."""

CASES = [
    Case(Convolution(16, (1,)), ((16, 24, 32, 31),)),
    Case(Convolution(16, (3,), pad=(1,)), ((16, 24, 32, 31),)),
    Case(Convolution(24, (3,), (2,), group=24), ((16, 24, 32, 31),)),
    Case(Pooling("MAX", (3,), (2,)), ((16, 24, 32, 31),)),
    Case(Pooling("AVE", (3,), (2,), (1,)), ((16, 24, 32, 31),)),
    Case(Pooling("AVE", global_pooling=True), ((16, 24, 32, 31),)),
    Case(InnerProduct(100), ((16, 24, 32, 31),)),
    Case(InnerProduct(100, axis=2), ((16, 24, 32, 31),)),
    Case(LRN(), ((16, 24, 32, 31),)),
    Case(LRN(3, norm_region="WITHIN_CHANNEL"), ((16, 24, 32, 31),)),
    Case(BatchNorm(), ((16, 24, 32, 31),)),
    Case(
        BatchNorm(use_global_stats=True),
        ((16, 24, 32, 31),),
        params=[np.zeros(24), np.ones(24), np.ones(1)],
    ),
    Case(Scale(bias_term=True), ((16, 24, 32, 31),)),
    Case(Bias(), ((16, 24, 32, 31),)),
    Case(PReLU(), ((16, 24, 32, 31),)),
    Case(MVN(), ((16, 24, 32, 31),)),
]


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_passes_allocate_nothing(case, adds):
    stand = Stand(case, *case.layouts())
    run = Backward(
        stand.run,
        [np.ones_like(t) for t in stand.tops],
        [np.zeros_like(b) for b in stand.bottoms],
        [np.zeros_like(p) for p in stand.params],
        [adds],
    )
    stand.layer.forward(run)
    stand.layer.backward(run)  # views are made the first time
    assert stand.bottoms[0].nbytes > 8 * UFUNC_BUFFERS
    tracemalloc.start()
    stand.layer.forward(run)
    stand.layer.backward(run)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < UFUNC_BUFFERS
