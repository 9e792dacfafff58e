"""Input: shapes, and hands off the values."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import NCHW, Forward, Phase, Site
from netdef.layers.input import Input
from netdef.schema import LayerParameter


def read(*shapes, tops=1):
    message = LayerParameter(
        input_param={"shape": [{"dim": s} for s in shapes]}, top=list("abc"[:tops])
    )
    return Input.read(message, Phase.TEST)


def test_one_shape_is_for_all_tops():
    assert read((2, 3), tops=3).shapes(()) == ((2, 3),) * 3


def test_each_top_may_have_its_own():
    assert read((2, 3), (5,), tops=2).shapes(()) == ((2, 3), (5,))


def test_a_shape_without_axes_is_a_scalar():
    assert read(()).shapes(()) == ((),)


def test_forward_leaves_the_values():
    top = np.arange(6.0).reshape(2, 3)
    Input(((2, 3),)).forward(Forward(Site(NCHW, (), ((2, 3),)), [], [top]))
    np.testing.assert_array_equal(top.reshape(-1), range(6))


@pytest.mark.parametrize(
    ("shapes", "tops", "field"),
    [
        ((), 1, "shape"),
        (((2,), (3,)), 1, "shape[1]"),
        (((2,), (3,)), 3, "shape[1]"),
        (((2,), (3, -1)), 2, "shape[1].dim[1]"),
    ],
)
def test_wrong_settings_are_refused(shapes, tops, field):
    with pytest.raises(FieldError) as caught:
        read(*shapes, tops=tops)
    assert caught.value.field == f"input_param.{field}"
