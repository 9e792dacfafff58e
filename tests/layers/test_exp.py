"""Exp against ** in float64."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import Phase
from netdef.layers.exp import Exp
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestExp(LayerLaws):
    cases = [
        Case(Exp(), ((2, 3, 5),)),
        Case(Exp(2, 0.5, 0.2), ((7, 3),)),
        Case(Exp(0.3, 2), ((7,),)),
        Case(Exp(scale=-1, shift=2), ((7,),)),
        Case(Exp(1), ((7,),)),
    ]

    def reference(self, layer, bottoms, params):
        base = np.e if layer.base == -1 else layer.base
        return (base ** (layer.shift + layer.scale * bottoms[0]),)


def read(**fields):
    return Exp.read(LayerParameter(exp_param=fields), Phase.TEST)


def test_read():
    assert read() == Exp()
    assert read(base=2, scale=0.5, shift=1) == Exp(2, 0.5, 1)


@pytest.mark.parametrize("base", [0, -2, float("inf"), float("nan")])
def test_refuses_a_base_without_logarithm(base):
    with pytest.raises(FieldError) as caught:
        read(base=base)
    assert caught.value.field == "exp_param.base"


def test_words():
    assert [Exp().settings(), Exp(2, 0.5, 1).settings()] == ["e^x", "2^(1 + 0.5 x)"]
