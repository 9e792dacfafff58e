"""Sigmoid against 1 / (1 + exp(-x))."""

from __future__ import annotations

import numpy as np

from netdef.layers.sigmoid import Sigmoid
from tests.layers.laws import Case, LayerLaws, Stand


class TestSigmoid(LayerLaws):
    cases = [Case(Sigmoid(), ((2, 3, 7, 5),)), Case(Sigmoid(), ((3,),))]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (1 / (1 + np.exp(-x)),)

    def test_far_values_end_at_0_and_1(self):
        x = np.array([[-1e4, -100, 0, 100, 1e4]])
        case = Case(Sigmoid(), ((1, 5),), bottoms={0: x})
        (y,) = Stand(case, case.layouts()[0]).forward()
        np.testing.assert_array_equal(y, [[0, 0, 0.5, 1, 1]])
