"""Slice against np.split."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.slice import Slice
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestSlice(LayerLaws):
    cases = [
        Case(Slice(slice_point=(1, 4), tops=3), ((2, 6, 3),)),
        Case(Slice(tops=3), ((2, 6, 7, 5),)),
        Case(Slice(-1, (2,), 2), ((2, 3, 7),)),
        Case(Slice(2, (), 2), ((2, 3, 4),)),
        Case(Slice(0, (1,), 2), ((4, 3),), batch_of_one=False),
        Case(Slice(-2, (), 2), ((4, 3),), batch_of_one=False),
        Case(Slice(), ((2, 3),)),
    ]

    def reference(self, layer, bottoms, params):
        return tuple(np.split(bottoms[0], layer.slice_point or layer.tops, layer.axis))


def read(tops, **param):
    return Slice.read(LayerParameter(slice_param=param, top=list("abcdef"[:tops])), Phase.TEST)


def test_read():
    assert read(3, slice_point=[1, 4]) == Slice(1, (1, 4), 3)
    assert read(2, slice_dim=0) == Slice(0, (), 2)


@pytest.mark.parametrize(
    ("tops", "param", "field", "message"),
    [
        (2, {"slice_point": [1, 4]}, "slice_point[1]", "3 pieces"),
        (4, {"slice_point": [1, 4]}, "slice_point[1]", "the layer has 4 tops"),
        (3, {"slice_point": [4, 4]}, "slice_point[1]", "must be above 4, is 4"),
        (2, {"slice_point": [0]}, "slice_point[0]", "must be above 0"),
        (2, {"slice_dim": 1, "axis": 1}, "slice_dim", "old spelling"),
    ],
)
def test_wrong_settings_are_refused(tops, param, field, message):
    with pytest.raises(FieldError) as caught:
        read(tops, **param)
    assert caught.value.field == f"slice_param.{field}"
    assert message in caught.value.message


def test_points_beyond_the_end_are_refused():
    with pytest.raises(FieldError, match="ends at 6") as caught:
        Slice(1, (2, 6), 3).shapes(((2, 6),))
    assert caught.value.field == "slice_param.slice_point[1]"


@pytest.mark.parametrize(("channels", "tops"), [(5, 2), (2, 4)])
def test_unequal_pieces_need_points(channels, tops):
    with pytest.raises(BottomError, match=f"cannot be cut into {tops} equal pieces"):
        Slice(tops=tops).shapes(((2, channels),))


def test_layout_follows_the_axis():
    assert Slice(-2, tops=2).layout_at(((4, 3),)) is NCHW
    assert Slice(-1, tops=2).layout_at(((4, 3),)) is CHWN
