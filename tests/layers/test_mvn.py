"""MVN against means in Caffe's order of axes."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import CHWN, Phase
from netdef.layers.mvn import MVN
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, close


class TestMVN(LayerLaws):
    cases = [
        Case(MVN(), ((2, 3, 4, 5),)),
        Case(MVN(eps=0.5), ((2, 3, 4, 5),)),
        Case(MVN(normalize_variance=False), ((2, 3, 4, 5),)),
        Case(MVN(across_channels=True), ((2, 3, 4, 5),)),
        Case(MVN(False, across_channels=True), ((3, 2, 5),)),
        Case(MVN(across_channels=True), ((3, 4),)),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        axes = tuple(range(1 if layer.across_channels else 2, x.ndim))
        y = x - x.mean(axes, keepdims=True)
        if layer.normalize_variance:
            y /= x.std(axes, keepdims=True) + layer.eps
        return (y,)


@pytest.mark.parametrize("shape", [(3, 5), (7,), (2, 3, 4, 5)])
def test_equal_values_are_0_and_have_a_finite_gradient(shape):
    stand = Stand(Case(MVN(eps=0.25), (shape,)), CHWN, bottoms=[np.ones(shape)])
    (y,) = stand.forward()
    assert not y.any()
    dy = np.random.default_rng(3).standard_normal(shape)
    (dx,), _ = stand.backward([dy])
    axes = tuple(range(2, len(shape)))
    close(dx, (dy - dy.mean(axes, keepdims=True)) / 0.25, 1e-5, "dx")


def test_read():
    assert MVN.read(LayerParameter(), Phase.TEST) == MVN(eps=pytest.approx(1e-9))
    fields = {"normalize_variance": False, "across_channels": True, "eps": 0.5}
    assert MVN.read(LayerParameter(mvn_param=fields), Phase.TEST) == MVN(False, True, 0.5)


def test_refuses_a_scalar():
    with pytest.raises(BottomError):
        MVN().shapes(((),))


def test_words():
    assert MVN().settings() == ""
    assert MVN(False, True).settings() == "across channels, mean only"
