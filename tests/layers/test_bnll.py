"""BNLL against the logarithm in float64."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import NCHW
from netdef.layers.bnll import BNLL
from tests.layers.laws import Case, LayerLaws, Stand


class TestBNLL(LayerLaws):
    cases = [Case(BNLL(), ((2, 3, 5),)), Case(BNLL(), ((7,),))]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (np.logaddexp(x, 0),)


def test_far_from_0_it_neither_overflows_nor_loses_the_gradient():
    x = np.array([-80.0, -20.0, 20.0, 200.0])
    stand = Stand(Case(BNLL(), ((4,),)), NCHW, bottoms=[x])
    (y,) = stand.forward()
    np.testing.assert_allclose(y, np.logaddexp(x, 0), rtol=1e-6)
    (dx,), _ = stand.backward([np.ones(4)])
    np.testing.assert_allclose(dx, 1 / (1 + np.exp(-x)), rtol=1e-6)
