"""Scale against broadcasting in Caffe's order of axes."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import ANY, CHWN, NCHW, Phase
from netdef.layers.filler import Filler
from netdef.layers.scale import Scale
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, close


def spread(x, operand, axis):
    """The operand with axes to broadcast over x."""
    start = axis % x.ndim if operand.ndim else 0
    return operand.reshape((1,) * start + operand.shape + (1,) * (x.ndim - start - operand.ndim))


class TestScale(LayerLaws):
    cases = [
        Case(Scale(), ((2, 3, 4, 5),)),
        Case(Scale(bias_term=True), ((2, 3, 4, 5),)),
        Case(Scale(bias_term=True), ((4, 3),)),
        Case(Scale(axis=2, num_axes=1), ((3, 2, 4, 5),)),
        Case(Scale(axis=1, num_axes=-1, bias_term=True), ((3, 2, 4, 5),)),
        Case(Scale(axis=-2, num_axes=2), ((3, 2, 4, 5),)),
        Case(Scale(num_axes=0, bias_term=True), ((3, 2, 5),)),
        Case(Scale(axis=0, num_axes=2, bias_term=True), ((3, 2, 5),), batch_of_one=False),
        Case(Scale(), ((3, 2, 4, 5), (2, 4))),
        Case(Scale(bias_term=True), ((3, 2, 4, 5), (2,))),
        Case(Scale(), ((3, 2, 4), ())),
        Case(Scale(axis=0), ((3, 2, 4, 5), (3, 2))),
        Case(Scale(axis=0), ((3, 2, 4, 5), (3,))),
        Case(Scale(axis=0), ((3, 2, 4), (3, 2, 4))),
        Case(Scale(axis=0, bias_term=True), ((3, 2, 4), (3, 2)), batch_of_one=False),
        Case(Scale(axis=-1), ((3, 2, 4), (4,))),
    ]

    def reference(self, layer, bottoms, params):
        x, *rest = bottoms
        scale = rest[0] if rest else params[0]
        y = x * spread(x, scale, layer.axis)
        if layer.bias_term:
            y = y + spread(x, params[-1], layer.axis)
        return (y,)


@pytest.mark.parametrize(
    "shape", [(600, 3, 8, 9), (2, 300, 40, 11), (3, 2, 250, 300)], ids=["rows", "blocks", "cuts"]
)
def test_pieces_join(shape):
    case = Case(Scale(bias_term=True), (shape,), tolerance=1e-5)
    stand = Stand(case, *case.layouts())
    x, (scale, bias) = case.bottom_values()[0], case.param_values()
    dy = np.random.default_rng(3).standard_normal(shape)
    (y,) = stand.forward()
    (dx,), (dscale, dbias) = stand.backward([dy])
    close(y, x * scale[:, None, None] + bias[:, None, None], 1e-6, "y")
    close(dx, dy * scale[:, None, None], 1e-6, "dx")
    close(dscale, np.sum(dy * x, axis=(0, 2, 3)), 1e-5, "dscale")
    close(dbias, np.sum(dy, axis=(0, 2, 3)), 1e-5, "dbias")


def test_layout_keeps_images_apart_where_it_can():
    image = (2, 3, 4, 5)
    assert Scale().layout_at((image,)) is CHWN
    assert Scale(num_axes=0).layout_at((image,)) is ANY
    assert Scale(axis=0).layout_at((image,)) is NCHW
    assert Scale().layout_at((image, (3,))) is NCHW
    assert Scale(axis=0).layout_at((image, (2, 3))) is CHWN
    assert Scale(axis=0, bias_term=True).layout_at((image, (2, 3))) is NCHW


def test_params():
    assert [p.role for p in Scale(bias_term=True).params(((2, 3),))] == ["scale", "bias"]
    assert [p.role for p in Scale(bias_term=True).params(((2, 3), (3,)))] == ["bias"]
    assert Scale().params(((2, 3), (3,))) == ()
    assert Scale().params(((2, 3),))[0].filler == Filler(value=1)


def read(**fields):
    return Scale.read(LayerParameter(scale_param=fields), Phase.TEST)


def test_reads_what_is_written():
    assert read() == Scale()
    assert read(axis=2, num_axes=-1, bias_term=True) == Scale(2, -1, True)
    assert read(filler={"value": 3}, bias_filler={"value": 2}) == Scale(
        filler=Filler(value=3), bias_filler=Filler(value=2)
    )
    assert read(filler={}).filler == Filler()  # a filler without a value is 0 as in Caffe


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"num_axes": -2}, "scale_param.num_axes"),
        ({"filler": {"type": "constnat"}}, "scale_param.filler.type"),
        ({"bias_filler": {"type": "constnat"}}, "scale_param.bias_filler.type"),
        ({"num_axes": 4}, "scale_param.num_axes"),
        ({"axis": 4}, "scale_param.axis"),
        ({"filler": {"type": "bilinear"}}, "scale_param.filler.type"),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields).shapes(((2, 3, 5, 4),))
    assert caught.value.field == path


@pytest.mark.parametrize("other", [(2,), (3, 5), (3, 4, 5, 6), (4, 3)])
def test_refuses_a_second_bottom_that_does_not_fit(other):
    with pytest.raises(BottomError) as caught:
        Scale().shapes(((2, 3, 4, 5), other))
    assert caught.value.bottom == 1


def test_words():
    assert [Scale().settings(), Scale(bias_term=True).settings()] == ["", "+bias"]
