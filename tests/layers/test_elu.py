"""ELU against the formula in float64."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import Phase
from netdef.layers.elu import ELU
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestELU(LayerLaws):
    cases = [
        Case(ELU(), ((2, 3, 5),)),
        Case(ELU(0.7), ((7, 3),)),
        Case(ELU(0), ((7,),)),
        Case(ELU(-0.7), ((7, 3),)),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (np.where(x > 0, x, layer.alpha * (np.exp(np.minimum(x, 0)) - 1)),)


def test_y_tells_the_sign_of_x_unless_alpha_is_negative():
    assert not ELU().reads_bottoms
    assert ELU(-1).reads_bottoms


def test_read():
    assert ELU.read(LayerParameter(), Phase.TEST) == ELU()
    assert ELU.read(LayerParameter(elu_param={"alpha": 0.5}), Phase.TEST) == ELU(0.5)


def test_words():
    assert [ELU().settings(), ELU(0.5).settings()] == ["", "α0.5"]
