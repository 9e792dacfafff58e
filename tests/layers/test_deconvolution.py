"""Deconvolution against stamps written down one by one, and against Convolution's gradient."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.convolution import Convolution
from netdef.layers.deconvolution import Deconvolution
from netdef.layers.filler import Filler
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, random


def stamp(x, w, b, layer, axis=1):
    """One value of the bottom after another, stamped onto a top that is cut in the end."""
    spatial = x.ndim - axis - 1

    def each(sizes):
        return sizes if len(sizes) == spatial else sizes * spatial

    stride, pad, dilation = each(layer.stride), each(layer.pad), each(layer.dilation)
    kernel, batch = w.shape[2:], x.shape[:axis]
    x = x.reshape(-1, *x.shape[axis:])
    whole = [
        s * (n - 1) + d * (k - 1) + 1
        for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    ]
    y = np.zeros((len(x), layer.num_output, *whole))
    channels, outputs = x.shape[1] // layer.group, layer.num_output // layer.group
    for n, c in product(range(len(x)), range(x.shape[1])):
        first = c // channels * outputs
        for place in product(*map(range, x.shape[2:])):
            for tap in product(*map(range, kernel)):
                at = tuple(
                    p * s + t * d for p, s, t, d in zip(place, stride, tap, dilation, strict=True)
                )
                for o in range(outputs):
                    y[(n, first + o, *at)] += x[(n, c, *place)] * w[(c, o, *tap)]
    y = y[(..., *(slice(p, size - p) for p, size in zip(pad, whole, strict=True)))]
    if b is not None:
        y = y + b.reshape(1, -1, *(1,) * spatial)
    return y.reshape(*batch, *y.shape[1:])


class TestDeconvolution(LayerLaws):
    cases = [
        Case(Deconvolution(2, (4,), (2,), (1,)), ((2, 3, 4, 5),), name="upsampling"),
        Case(Deconvolution(4, (3,)), ((2, 3, 5, 4),), name="3x3"),
        Case(Deconvolution(4, (3,), pad=(1,)), ((2, 3, 5, 4),), name="3x3-padded"),
        Case(Deconvolution(4, (2,), (3,)), ((2, 3, 5, 4),), name="gaps-between-stamps"),
        Case(Deconvolution(2, (3, 2), (1, 3), (2, 0)), ((3, 4, 5, 2),), name="uneven"),
        Case(Deconvolution(4, (3,), dilation=(2,), pad=(2,)), ((2, 3, 5, 4),), name="dilated"),
        Case(Deconvolution(4, (2,), (2,), dilation=(3, 1)), ((2, 3, 5, 4),), name="dilated-uneven"),
        Case(Deconvolution(6, (3,), (2,), (1,), group=2), ((3, 4, 2, 5),), name="groups"),
        Case(Deconvolution(4, (4,), (2,), (1,), group=4), ((3, 4, 2, 5),), name="depthwise"),
        Case(
            Deconvolution(4, (4,), (2,), (1,), group=4, bias_term=False),
            ((3, 4, 2, 5),),
            name="fcn-upsampling",
        ),
        Case(Deconvolution(6, (1,)), ((2, 4, 5, 3),), name="1x1"),
        Case(Deconvolution(6, (1,), group=2), ((3, 4, 5, 2),), name="1x1-groups"),
        Case(Deconvolution(3, (1,), (2,)), ((2, 4, 3, 5),), name="1x1-strided"),
        Case(Deconvolution(3, (6, 5)), ((2, 4, 1, 1),), name="from-one-value"),
        Case(Deconvolution(3, (2,), bias_term=False), ((2, 4, 3, 5),), name="no-bias"),
        Case(Deconvolution(3, (3,), (2,)), ((2, 4, 3, 5), (2, 4, 3, 5)), name="two-bottoms"),
        Case(Deconvolution(3, (1,)), ((2, 4, 3, 5), (2, 4, 3, 5)), name="two-bottoms-1x1"),
        Case(Deconvolution(5, (3,), (2,), (1,)), ((2, 3, 4),), name="1d"),
        Case(
            Deconvolution(4, (2, 3, 1), (1, 2, 1), (1, 0, 0), group=2),
            ((3, 2, 4, 5, 1),),
            name="3d",
        ),
        Case(Deconvolution(4, (3,), axis=-3), ((2, 3, 5, 4),), name="negative-axis"),
        Case(Deconvolution(4, (3,), axis=2), ((2, 3, 4, 5),), name="1d-two-batch-axes"),
    ]

    def reference(self, layer, bottoms, params):
        w, b = params if layer.bias_term else (params[0], None)
        return tuple(stamp(x, w, b, layer, layer.axis % x.ndim) for x in bottoms)


def test_is_the_gradient_of_a_convolution():
    """The same weights both ways: <conv(y), x> = <y, deconv(x)>."""
    deconv, conv = (
        Deconvolution(4, (4,), (2,), (1,), bias_term=False),
        Convolution(3, (4,), (2,), (1,), bias_term=False),
    )
    w, x = random().standard_normal((3, 4, 4, 4)), random().standard_normal((2, 3, 5, 6))
    y = random().standard_normal((2, 4, 10, 12))
    (up,) = Stand(Case(deconv, (x.shape,)), CHWN, np.float64, bottoms=[x], params=[w]).forward()
    (down,) = Stand(Case(conv, (y.shape,)), CHWN, np.float64, bottoms=[y], params=[w]).forward()
    assert np.sum(up * y) == pytest.approx(np.sum(down * x), rel=1e-12)


def test_a_bilinear_filler_interpolates():
    """What FCN starts its upsampling from: a ramp stays a ramp away from the edges."""
    layer = Deconvolution(1, (4,), (2,), (1,), bias_term=False)
    w = np.zeros((1, 1, 4, 4))
    Filler("bilinear").fill(w, random())
    ramp = np.tile(np.arange(6.0), (1, 1, 5, 1))
    (y,) = Stand(Case(layer, (ramp.shape,)), CHWN, bottoms=[ramp], params=[w]).forward()
    np.testing.assert_allclose(np.diff(y[0, 0, 4, 2:-2]), 0.5, atol=1e-6)


def test_images_lie_batch_last_and_all_else_as_in_caffe():
    assert Deconvolution(4, (3,)).layout_at(((2, 3, 7, 5),)) is CHWN
    assert Deconvolution(4, (3,), axis=2).layout_at(((2, 3, 7, 5),)) is NCHW
    assert Deconvolution(4, (3,)).layout_at(((2, 3, 7),)) is NCHW


def read(**fields):
    return Deconvolution.read(LayerParameter(convolution_param=fields), Phase.TRAIN)


def test_reads_what_is_written():
    layer = read(num_output=8, kernel_size=[4], stride=[2], pad=[1], group=4, bias_term=False)
    assert layer == Deconvolution(8, (4,), (2,), (1,), group=4, bias_term=False)
    assert type(layer) is Deconvolution
    filler = {"type": "bilinear"}
    assert read(num_output=1, kernel_size=[4], weight_filler=filler).weight_filler == Filler(
        "bilinear"
    )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"kernel_size": [3]}, "num_output"),
        ({"num_output": 0, "kernel_size": [3]}, "num_output"),
        ({"num_output": 3, "kernel_size": [3], "group": 2}, "num_output"),
        ({"num_output": 3}, "kernel_size"),
        ({"num_output": 3, "kernel_size": [0]}, "kernel_size"),
        ({"num_output": 3, "kernel_size": [3], "stride": [0]}, "stride"),
        ({"num_output": 3, "kernel_size": [3], "kernel_h": 3}, "kernel_h"),
        ({"num_output": 3, "kernel_size": [3], "dilation": [1, 0]}, "dilation[1]"),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == f"convolution_param.{path}"


@pytest.mark.parametrize(
    ("layer", "shapes", "path"),
    [
        (Deconvolution(4, (3,), pad=(4,)), ((2, 3, 7, 5),), "pad"),
        (Deconvolution(4, (3,), group=2), ((2, 3, 7, 9),), "group"),
        (Deconvolution(4, (3,), (1, 1, 1)), ((2, 3, 7, 9),), "stride"),
        (Deconvolution(4, (3,), axis=4), ((2, 3, 7, 9),), "axis"),
        (
            Deconvolution(4, (3, 2), weight_filler=Filler("bilinear")),
            ((2, 3, 7, 9),),
            "weight_filler.type",
        ),
    ],
)
def test_refuses_what_does_not_fit_the_bottom(layer, shapes, path):
    with pytest.raises(FieldError) as caught:
        layer.shapes(shapes)
    assert caught.value.field == f"convolution_param.{path}"


def test_refuses_bottoms_that_differ():
    with pytest.raises(BottomError) as caught:
        Deconvolution(4, (3,)).shapes(((2, 3, 7, 9), (2, 3, 7, 8)))
    assert caught.value.bottom == 1


def test_counts_and_words():
    layer, bottoms = Deconvolution(6, (4, 5), (2,), group=3), ((2, 9, 16, 17),)
    tops = layer.shapes(bottoms)
    assert tops == ((2, 6, 34, 37),)
    assert layer.macs(bottoms, tops) == 2 * 9 * 16 * 17 * 2 * 4 * 5
    assert [(p.role, p.shape) for p in layer.params(bottoms)] == [
        ("weight", (9, 2, 4, 5)),
        ("bias", (6,)),
    ]
    assert layer.settings() == "4×5/2 g3 →6"


def test_an_empty_batch_teaches_nothing():
    stand = Stand(Case(Deconvolution(2, (4,), (2,)), ((0, 3, 4, 5),)), NCHW)
    (y,) = stand.forward()
    assert y.shape == (0, 2, 10, 12)
    (dx,), params = stand.backward([y])
    assert dx.shape == (0, 3, 4, 5)
    assert not any(diff.any() for diff in params)
