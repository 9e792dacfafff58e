"""Bias against broadcasting in Caffe's order of axes."""

from __future__ import annotations

import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import ANY, CHWN, NCHW, Phase
from netdef.layers.bias import Bias
from netdef.layers.filler import Filler
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestBias(LayerLaws):
    cases = [
        Case(Bias(), ((2, 3, 4, 5),)),
        Case(Bias(), ((4, 3),)),
        Case(Bias(axis=2, num_axes=-1), ((3, 2, 4, 5),)),
        Case(Bias(num_axes=0), ((3, 2, 5),)),
        Case(Bias(axis=0), ((3, 2, 5),), batch_of_one=False),
        Case(Bias(), ((3, 2, 4, 5), (2, 4))),
        Case(Bias(), ((3, 2, 4), ())),
        Case(Bias(axis=0), ((3, 2, 4, 5), (3, 2))),
        Case(Bias(axis=-1), ((3, 2, 4), (4,))),
    ]

    def reference(self, layer, bottoms, params):
        x, *rest = bottoms
        bias = (rest or params)[0]
        start = layer.axis % x.ndim if bias.ndim else 0
        return (x + bias.reshape(bias.shape + (1,) * (x.ndim - start - bias.ndim)),)


def test_layout_keeps_images_apart_where_it_can():
    image = (2, 3, 4, 5)
    assert Bias().layout_at((image,)) is CHWN
    assert Bias(num_axes=0).layout_at((image,)) is ANY
    assert Bias(axis=0).layout_at((image,)) is NCHW
    assert Bias(axis=0).layout_at((image, (2, 3))) is CHWN


def test_params():
    assert [p.shape for p in Bias(num_axes=2).params(((2, 3, 4),))] == [(3, 4)]
    assert Bias().params(((2, 3), (3,))) == ()


def read(**fields):
    return Bias.read(LayerParameter(bias_param=fields), Phase.TEST)


def test_reads_what_is_written():
    assert read() == Bias()
    assert read(axis=2, num_axes=-1, filler={"value": 3}) == Bias(2, -1, Filler(value=3))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"num_axes": -2}, "bias_param.num_axes"),
        ({"num_axes": 4}, "bias_param.num_axes"),
        ({"axis": -5}, "bias_param.axis"),
        ({"filler": {"type": "constnat"}}, "bias_param.filler.type"),
        ({"filler": {"type": "bilinear"}}, "bias_param.filler.type"),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields).shapes(((2, 3, 5, 4),))
    assert caught.value.field == path


def test_refuses_a_second_bottom_that_does_not_fit():
    with pytest.raises(BottomError) as caught:
        Bias().shapes(((2, 3, 4, 5), (4,)))
    assert caught.value.bottom == 1
