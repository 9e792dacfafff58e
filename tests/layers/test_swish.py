"""Swish against the formula in float64."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import Phase
from netdef.layers.swish import Swish
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestSwish(LayerLaws):
    cases = [
        Case(Swish(), ((2, 3, 5),)),
        Case(Swish(1.5), ((7, 3),)),
        Case(Swish(0), ((7,),), nonfinite=False),  # NaN for infinity, as in Caffe
        Case(Swish(-2), ((7,),)),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (x / (1 + np.exp(-layer.beta * x)),)


def test_read():
    assert Swish.read(LayerParameter(), Phase.TEST) == Swish()
    assert Swish.read(LayerParameter(swish_param={"beta": 0.5}), Phase.TEST) == Swish(0.5)


def test_words():
    assert [Swish().settings(), Swish(0.5).settings()] == ["", "β0.5"]
