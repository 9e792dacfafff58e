"""AbsVal against its formula."""

from __future__ import annotations

import numpy as np

from netdef.layers.absval import AbsVal
from netdef.layers.base import NCHW
from tests.layers.laws import Case, LayerLaws, Stand


class TestAbsVal(LayerLaws):
    cases = [Case(AbsVal(), ((2, 3, 5),)), Case(AbsVal(), ((7,),))]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (np.where(x < 0, -x, x),)


def test_gradient_at_0_is_0():
    stand = Stand(Case(AbsVal(), ((3,),)), NCHW, bottoms=[np.array([-2.0, 0.0, 2.0])])
    stand.forward()
    (dx,), _ = stand.backward([np.full(3, 5.0)])
    np.testing.assert_array_equal(dx, [-5, 0, 5])
