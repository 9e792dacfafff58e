"""Axes counted from the end, and words for shapes."""

from __future__ import annotations

import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.axes import axis_in, axis_of, must_equal, show
from netdef.layers.base import CHWN, NCHW


@pytest.mark.parametrize(("axis", "found"), [(0, 0), (2, 2), (-1, 2), (-3, 0)])
def test_axis_of(axis, found):
    assert axis_of(axis, (2, 3, 5), "f") == found


@pytest.mark.parametrize("axis", [3, -4])
def test_an_axis_that_is_not_there_names_the_field_and_the_shape(axis):
    with pytest.raises(FieldError, match=f"p.axis is {axis}, but the bottom is 2×3×5") as caught:
        axis_of(axis, (2, 3, 5), "p.axis")
    assert caught.value.help == "write an axis from -3 to 2"


def test_a_scalar_has_no_axis():
    with pytest.raises(FieldError, match="the bottom is scalar"):
        axis_of(0, (), "p.axis")


def test_channels_come_first_where_the_batch_is_last():
    assert [axis_in(NCHW, 1), axis_in(CHWN, 1)] == [1, 0]


def test_must_equal_names_the_first_that_differs():
    must_equal(((2, 3), (2, 3)), "adds")
    with pytest.raises(BottomError, match="is 2 and the first is 2×3") as caught:
        must_equal(((2, 3), (2, 3), (2,)), "adds")
    assert caught.value.bottom == 2
    assert "adds" in caught.value.help


def test_show():
    assert [show((64, 1, 28, 28)), show(())] == ["64×1×28×28", "scalar"]
