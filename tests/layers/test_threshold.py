"""Threshold against a comparison in float64."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import NCHW, Phase
from netdef.layers.threshold import Threshold
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestThreshold(LayerLaws):
    cases = [Case(Threshold(), ((2, 3, 5),)), Case(Threshold(0.5), ((7,),))]

    def reference(self, layer, bottoms, params):
        return (np.where(bottoms[0] > layer.threshold, 1.0, 0.0),)


def test_the_threshold_is_not_above_itself():
    case = Case(Threshold(0.5), ((3,),))
    (y,) = Stand(case, NCHW, bottoms=[np.array([0.25, 0.5, 0.75])]).forward()
    np.testing.assert_array_equal(y, [0, 0, 1])


def test_read():
    assert Threshold.read(LayerParameter(), Phase.TEST) == Threshold()
    message = LayerParameter(threshold_param={"threshold": 0.5})
    assert Threshold.read(message, Phase.TEST) == Threshold(0.5)


def test_words():
    assert Threshold(0.5).settings() == "> 0.5"
