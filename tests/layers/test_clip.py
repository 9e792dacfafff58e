"""Clip against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import NCHW, Phase
from netdef.layers.clip import Clip
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestClip(LayerLaws):
    cases = [Case(Clip(-0.5, 0.7), ((2, 3, 5),)), Case(Clip(0, 6), ((7,),))]

    def reference(self, layer, bottoms, params):
        return (np.clip(bottoms[0], layer.min, layer.max),)


def test_the_bounds_themselves_have_a_gradient():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    stand = Stand(Case(Clip(-1, 1), ((5,),)), NCHW, bottoms=[x])
    stand.forward()
    (dx,), _ = stand.backward([np.full(5, 3.0)])
    np.testing.assert_array_equal(dx, [0, 3, 3, 3, 0])


def read(**fields):
    return Clip.read(LayerParameter(clip_param=fields), Phase.TEST)


def test_read():
    assert read(min=-1, max=0.5) == Clip(-1, 0.5)
    assert read(min=0, max=0) == Clip(0, 0)


@pytest.mark.parametrize("given", ["min", "max"])
def test_both_bounds_are_required(given):
    with pytest.raises(FieldError) as caught:
        read(**{given: 1})
    assert caught.value.field == f"clip_param.{'max' if given == 'min' else 'min'}"


def test_words():
    assert Clip(-1, 0.5).settings() == "-1…0.5"
