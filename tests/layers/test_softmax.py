"""Softmax against exponentials of float64."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.softmax import Softmax
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestSoftmax(LayerLaws):
    cases = [
        Case(Softmax(), ((2, 3),)),
        Case(Softmax(), ((2, 3, 7, 5),)),
        Case(Softmax(2), ((2, 3, 7, 5),)),
        Case(Softmax(-1), ((2, 3, 7),)),
        Case(Softmax(0), ((3, 2),)),
        Case(Softmax(-1), ((4,),)),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        e = np.exp(x - x.max(axis=layer.axis, keepdims=True))
        return (e / e.sum(axis=layer.axis, keepdims=True),)


def test_large_scores_do_not_overflow():
    x = np.array([[1e4, 1e4, -1e4], [88.8, 0, 0]])
    (y,) = Stand(Case(Softmax(), ((2, 3),), bottoms={0: x}), NCHW).forward()
    np.testing.assert_allclose(y, [[0.5, 0.5, 0], [1, 0, 0]], atol=1e-7)


def test_layout_follows_the_axis():
    assert Softmax().layout_at(((2, 3),)) is CHWN
    assert Softmax(0).layout_at(((2, 3),)) is Softmax(-2).layout_at(((2, 3),)) is NCHW


def test_an_axis_that_is_not_there_is_refused():
    with pytest.raises(FieldError) as caught:
        Softmax().shapes(((4,),))
    assert caught.value.field == "softmax_param.axis"


def test_read():
    assert Softmax.read(LayerParameter(softmax_param={"axis": -1}), Phase.TEST) == Softmax(-1)
