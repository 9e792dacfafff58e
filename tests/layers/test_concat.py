"""Concat against np.concatenate."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.concat import Concat
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestConcat(LayerLaws):
    cases = [
        Case(Concat(), ((2, 3, 7, 5), (2, 1, 7, 5), (2, 4, 7, 5))),
        Case(Concat(2), ((2, 3, 7), (2, 3, 4))),
        Case(Concat(-1), ((2, 3, 7), (2, 3, 4))),
        Case(Concat(0), ((2, 3), (4, 3)), batch_of_one=False),
        Case(Concat(-2), ((2, 3), (4, 3)), batch_of_one=False),
        Case(Concat(), ((2, 3),)),
    ]

    def reference(self, layer, bottoms, params):
        return (np.concatenate(bottoms, layer.axis),)


def test_layout_follows_the_axis():
    shapes = ((2, 3, 5), (2, 3, 5))
    assert Concat(0).layout_at(shapes) is Concat(-3).layout_at(shapes) is NCHW
    assert Concat(1).layout_at(shapes) is Concat(-1).layout_at(shapes) is CHWN


def test_a_single_bottom_is_the_top():
    assert Concat().is_view(((2, 3),))
    assert not Concat().is_view(((2, 3), (2, 3)))


@pytest.mark.parametrize("other", [(2, 3, 4), (2, 3), (1, 3, 5)])
def test_another_shape_is_refused(other):
    with pytest.raises(BottomError, match="and the first is 2×3×5") as caught:
        Concat().shapes(((2, 3, 5), (2, 4, 5), other))
    assert caught.value.bottom == 2


def test_an_axis_that_is_not_there_is_refused():
    with pytest.raises(FieldError, match="is 2, but the bottom is 2×3") as caught:
        Concat(2).shapes(((2, 3), (2, 3)))
    assert caught.value.field == "concat_param.axis"
    assert caught.value.help == "write an axis from -2 to 1"


def test_read_knows_the_old_spelling():
    def read(**param):
        return Concat.read(LayerParameter(concat_param=param), Phase.TEST)

    assert [read(), read(axis=-1), read(concat_dim=0)] == [Concat(), Concat(-1), Concat(0)]
    with pytest.raises(FieldError, match="old spelling of `axis`"):
        read(concat_dim=1, axis=1)
