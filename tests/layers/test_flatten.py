"""Flatten against np.reshape."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.flatten import Flatten
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws

TOPS = {
    Flatten(): (2, 210),
    Flatten(2): (2, 3, 70),
    Flatten(1, 2): (2, 30, 7),
    Flatten(-2, -1): (2, 3, 70),
    Flatten(3, 3): (2, 3, 10, 7),
    Flatten(0): (420,),
    Flatten(0, 1): (6, 10, 7),
}


class TestFlatten(LayerLaws):
    cases = [Case(f, ((2, 3, 10, 7),), batch_of_one=f.axis != 0) for f in TOPS]

    def reference(self, layer, bottoms, params):
        shape = list(TOPS[layer])
        if bottoms[0].shape[0] == 1:
            shape[0] = 1
        return (np.reshape(bottoms[0], shape),)


def test_layout_follows_the_axis():
    assert Flatten(0).layout_at(((2, 3),)) is Flatten(-2).layout_at(((2, 3),)) is NCHW
    assert Flatten(1).layout_at(((2, 3, 5),)) is CHWN
    assert Flatten().is_view(((2, 3),))


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        (Flatten(1), "axis"),
        (Flatten(0, 1), "end_axis"),
        (Flatten(0, -2), "end_axis"),
    ],
)
def test_axes_that_are_not_there_are_refused(layer, field):
    with pytest.raises(FieldError) as caught:
        layer.shapes(((4,),))
    assert caught.value.field == f"flatten_param.{field}"


def test_the_last_axis_cannot_come_before_the_first():
    with pytest.raises(FieldError, match="is axis 1, before the first one, 2"):
        Flatten(2, 1).shapes(((2, 3, 5, 7),))


def test_read():
    message = LayerParameter(flatten_param={"axis": 2, "end_axis": -2})
    assert Flatten.read(message, Phase.TEST) == Flatten(2, -2)
