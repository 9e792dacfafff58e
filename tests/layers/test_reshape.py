"""Reshape against np.reshape and the rules of Caffe."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.reshape import Reshape
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws

X = (2, 3, 10, 7)
TOPS = {
    Reshape((0, -1, 3)): (2, 70, 3),
    Reshape((2, 210)): (2, 210),
    Reshape((0, 0, -1)): (2, 3, 70),
    Reshape((-1,)): (420,),
    Reshape((-1, 0)): (140, 3),
    Reshape((5, -1), axis=1, num_axes=2): (2, 5, 6, 7),
    Reshape((-1,), axis=-3, num_axes=2): (2, 3, 70),
    Reshape((1,), axis=1, num_axes=0): (2, 1, 3, 10, 7),
    Reshape((1, 1), axis=-1, num_axes=0): (2, 3, 10, 7, 1, 1),
    Reshape((0, 10, -1), axis=1): (2, 3, 10, 7),
}


class TestReshape(LayerLaws):
    cases = [Case(r, (X,), batch_of_one=False) for r in TOPS]

    def reference(self, layer, bottoms, params):
        return (np.reshape(bottoms[0], TOPS[layer]),)


def test_a_batch_of_another_size_keeps_what_is_0():
    assert Reshape((0, -1)).shapes(((9, 3, 5),)) == ((9, 15),)


def test_layout_is_chwn_where_each_image_keeps_its_values():
    assert Reshape((0, -1)).layout_at((X,)) is CHWN
    assert Reshape((2, -1)).layout_at((X,)) is CHWN
    assert Reshape((3, -1)).layout_at((X,)) is NCHW
    assert Reshape((6,), axis=0, num_axes=2).layout_at((X,)) is NCHW
    assert Reshape((0,)).is_view((X,))


def test_one_value_can_lose_its_axes():
    assert Reshape().shapes(((1, 1),)) == ((),)
    assert Reshape((1, -1)).shapes(((),)) == ((1, 1),)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Reshape((4, 100)), "it holds 400"),
        (Reshape((0, -1, 11)), "any size in the place of -1"),
        (Reshape(), "420 values"),
    ],
)
def test_a_shape_that_is_not_filled_is_refused(layer, message):
    with pytest.raises(BottomError, match=message):
        layer.shapes((X,))


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        (Reshape((0, 0, 0, 0, 0)), "shape.dim[4]"),
        (Reshape((-1,), axis=5), "axis"),
        (Reshape((-1,), axis=-6), "axis"),
        (Reshape((-1,), axis=3, num_axes=2), "num_axes"),
    ],
)
def test_axes_that_are_not_there_are_refused(layer, field):
    with pytest.raises(FieldError) as caught:
        layer.shapes((X,))
    assert caught.value.field == f"reshape_param.{field}"


def read(**param):
    return Reshape.read(LayerParameter(reshape_param=param), Phase.TEST)


def test_read():
    assert read(shape={"dim": [0, -1]}, axis=1, num_axes=2) == Reshape((0, -1), 1, 2)


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ({"shape": {"dim": [-1, 2, -1]}}, "shape.dim[2]"),
        ({"shape": {"dim": [2, -3]}}, "shape.dim[1]"),
        ({"num_axes": -2}, "num_axes"),
    ],
)
def test_wrong_settings_are_refused(param, field):
    with pytest.raises(FieldError) as caught:
        read(**param)
    assert caught.value.field == f"reshape_param.{field}"
