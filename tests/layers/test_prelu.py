"""PReLU against the formula in float64."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import Phase
from netdef.layers.filler import Filler
from netdef.layers.prelu import PReLU
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestPReLU(LayerLaws):
    cases = [
        Case(PReLU(), ((2, 3, 4, 5),)),
        Case(PReLU(), ((4, 3),)),
        Case(PReLU(), ((4, 3, 5),), params=[np.array([-0.5, 0.0, 1.0])]),
        Case(PReLU(channel_shared=True), ((3, 2, 4, 5),)),
    ]

    def reference(self, layer, bottoms, params):
        (x,), (slope,) = bottoms, params
        if not layer.channel_shared:
            slope = slope.reshape(slope.shape + (1,) * (x.ndim - 2))
        return (np.maximum(x, 0) + slope * np.minimum(x, 0),)


def test_params():
    assert [p.shape for p in PReLU().params(((2, 3, 5),))] == [(3,)]
    assert [p.shape for p in PReLU(True).params(((2, 3, 5),))] == [()]


def test_read():
    assert PReLU.read(LayerParameter(), Phase.TEST) == PReLU(False, Filler(value=0.25))
    message = LayerParameter(prelu_param={"channel_shared": True, "filler": {"value": 0.5}})
    assert PReLU.read(message, Phase.TEST) == PReLU(True, Filler(value=0.5))


def test_refusals():
    with pytest.raises(BottomError):
        PReLU().shapes(((3,),))
    with pytest.raises(FieldError) as caught:
        PReLU(filler=Filler("bilinear")).shapes(((2, 3),))
    assert caught.value.field == "prelu_param.filler.type"
    with pytest.raises(FieldError) as caught:
        PReLU.read(LayerParameter(prelu_param={"filler": {"type": "xaver"}}), Phase.TEST)
    assert caught.value.field == "prelu_param.filler.type"


def test_words():
    assert [PReLU().settings(), PReLU(True).settings()] == ["", "shared"]
