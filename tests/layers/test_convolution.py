"""Convolution against sums written out value by value."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.kernels.convolution import Gemm1x1, Geometry, Im2col, choose, im2col
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.convolution import Convolution
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def correlate(x, w, b, layer, axis=1):
    """One value of the output after another."""
    spatial = x.ndim - axis - 1

    def each(sizes):
        return sizes if len(sizes) == spatial else sizes * spatial

    kernel, stride = w.shape[2:], each(layer.stride)
    pad, dilation = each(layer.pad), each(layer.dilation)
    batch = x.shape[:axis]
    x = x.reshape(-1, *x.shape[axis:])
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in pad)])
    out = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    ]
    y = np.zeros((len(x), len(w), *out))
    inputs, outputs = w.shape[1], len(w) // layer.group
    for o in range(len(w)):
        first = o // outputs * inputs
        for place in product(*map(range, out)):
            for tap in product(*map(range, kernel)):
                at = tuple(
                    p * s + t * d for p, s, t, d in zip(place, stride, tap, dilation, strict=True)
                )
                seen = padded[(slice(None), slice(first, first + inputs), *at)]
                y[(slice(None), o, *place)] += seen @ w[(o, slice(None), *tap)]
    if b is not None:
        y += b.reshape(1, -1, *(1,) * spatial)
    return y.reshape(*batch, *y.shape[1:])


class TestConvolution(LayerLaws):
    cases = [
        Case(Convolution(4, (3,)), ((2, 3, 7, 5),), name="3x3"),
        Case(Convolution(4, (3,), pad=(1,)), ((2, 3, 7, 5),), name="padded"),
        Case(Convolution(4, (3,), (2,), (1,)), ((5, 3, 8, 6),), name="strided"),
        Case(Convolution(2, (3, 2), (1, 3), (2, 0)), ((3, 4, 7, 9),), name="uneven"),
        Case(Convolution(6, (2, 4), (3, 2), (1, 3)), ((3, 4, 7, 9),), name="uneven-padded"),
        Case(Convolution(4, (3,), dilation=(2,), pad=(2,)), ((2, 3, 7, 6),), name="dilated"),
        Case(Convolution(4, (2,), dilation=(3, 1)), ((2, 3, 7, 6),), name="dilated-uneven"),
        Case(Convolution(6, (3,), pad=(1,), group=2), ((3, 4, 6, 5),), name="groups"),
        Case(Convolution(4, (3,), pad=(1,), group=4), ((3, 4, 6, 5),), name="depthwise"),
        Case(Convolution(6, (1,)), ((2, 4, 5, 3),), name="1x1"),
        Case(Convolution(6, (1,), group=2), ((3, 4, 5, 2),), name="1x1-groups"),
        Case(Convolution(3, (1,), (2,)), ((2, 4, 7, 5),), name="1x1-strided"),
        Case(Convolution(3, (1,), pad=(1,)), ((2, 4, 6, 5),), name="1x1-padded"),
        Case(Convolution(3, (6, 5)), ((2, 4, 6, 5),), name="as-large-as-the-bottom"),
        Case(Convolution(3, (5,), pad=(4,)), ((2, 4, 3, 1),), name="mostly-padding"),
        Case(Convolution(3, (2,), bias_term=False), ((2, 4, 6, 5),), name="no-bias"),
        Case(Convolution(3, (3,)), ((2, 4, 6, 5), (2, 4, 6, 5)), name="two-bottoms"),
        Case(Convolution(3, (1,)), ((2, 4, 6, 5), (2, 4, 6, 5)), name="two-bottoms-1x1"),
        Case(Convolution(5, (3,), (2,), (1,)), ((2, 4, 7),), name="1d"),
        Case(
            Convolution(4, (2, 3, 1), (1, 2, 1), (1, 0, 1), group=2), ((3, 2, 4, 5, 6),), name="3d"
        ),
        Case(Convolution(4, (3,), axis=-3), ((2, 3, 7, 5),), name="negative-axis"),
        Case(Convolution(4, (3,), axis=2), ((2, 3, 4, 7, 5),), name="two-batch-axes"),
        Case(Convolution(4, (3,), axis=2), ((2, 3, 5, 7),), name="1d-two-batch-axes"),
    ]

    def reference(self, layer, bottoms, params):
        w, b = params if layer.bias_term else (params[0], None)
        return tuple(correlate(x, w, b, layer, layer.axis % x.ndim) for x in bottoms)


@pytest.mark.parametrize("law", ["forward_is_the_formula", "gradient_is_the_slope"])
@pytest.mark.parametrize(
    "case", [c for c in TestConvolution.cases if c.layouts() == (CHWN,)], ids=str
)
def test_many_small_blocks_give_the_same(case, law, monkeypatch):
    monkeypatch.setattr(im2col, "_BLOCK", 1)
    monkeypatch.setattr(im2col, "_NARROW", 1)
    getattr(TestConvolution(), f"test_{law}")(case, CHWN)


def test_images_lie_batch_last_and_all_else_as_in_caffe():
    assert Convolution(4, (3,)).layout_at(((2, 3, 7, 5),)) is CHWN
    assert Convolution(4, (3,), axis=2).layout_at(((2, 3, 7, 5),)) is NCHW
    assert Convolution(4, (3,)).layout_at(((2, 3, 7),)) is NCHW


def test_one_product_where_the_columns_are_the_input():
    one = Geometry(2, 3, 4, (5, 6), (1, 1), (1, 1), (0, 0), (1, 1))
    strided = Geometry(2, 3, 4, (5, 6), (1, 1), (2, 1), (0, 0), (1, 1))
    whole = Geometry(2, 3, 4, (5, 6), (5, 6), (1, 1), (0, 0), (1, 1))
    assert [choose(g) for g in (one, strided, whole)] == [Gemm1x1, Im2col, Gemm1x1]


def test_new_arrays_are_not_taken_for_those_seen_before():
    case = TestConvolution.cases[0]
    stand = Stand(case, CHWN)
    first = stand.forward()[0]
    for turn in range(20):
        bottom = stand.bottoms[0] * (turn + 2)
        stand.layer.forward(_with_bottom(stand.run, bottom))
        expected = (turn + 2) * (first - _bias(case)) + _bias(case)
        np.testing.assert_allclose(
            np.moveaxis(stand.tops[0], -1, 0), expected, rtol=1e-4, atol=1e-4
        )


def _bias(case):
    return case.param_values()[1].reshape(1, -1, 1, 1)


def _with_bottom(run, bottom):
    run.bottoms[0] = bottom
    return run


def read(**fields):
    return Convolution.read(LayerParameter(convolution_param=fields), Phase.TRAIN)


def test_reads_what_is_written():
    layer = read(num_output=8, kernel_size=[3], stride=[2], pad=[1], group=4, bias_term=False)
    assert layer == Convolution(8, (3,), (2,), (1,), group=4, bias_term=False)
    layer = read(num_output=8, kernel_h=3, kernel_w=5, pad_w=2, stride_h=2, stride_w=1)
    assert layer == Convolution(8, (3, 5), (2, 1), (0, 2))
    assert read(num_output=8, kernel_size=[3, 5, 7]).kernel_size == (3, 5, 7)
    filler = {"type": "gaussian", "std": 0.5}
    assert read(num_output=1, kernel_size=[1], weight_filler=filler).weight_filler.std == 0.5


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"kernel_size": [3]}, "num_output"),
        ({"kernel_size": [3], "num_output": 0}, "num_output"),
        ({"kernel_size": [3], "num_output": 4, "group": 3}, "num_output"),
        ({"kernel_size": [3], "num_output": 4, "group": 0}, "group"),
        ({"num_output": 4}, "kernel_size"),
        ({"num_output": 4, "kernel_size": [0]}, "kernel_size"),
        ({"num_output": 4, "kernel_size": [3, 0]}, "kernel_size[1]"),
        ({"num_output": 4, "kernel_size": [3], "kernel_h": 3}, "kernel_h"),
        ({"num_output": 4, "kernel_h": 3}, "kernel_w"),
        ({"num_output": 4, "kernel_h": 3, "kernel_w": 0}, "kernel_w"),
        ({"num_output": 4, "kernel_size": [3], "stride": [0]}, "stride"),
        ({"num_output": 4, "kernel_size": [3], "stride_w": 2}, "stride_h"),
        ({"num_output": 4, "kernel_size": [3], "stride": [1], "stride_w": 2}, "stride_w"),
        ({"num_output": 4, "kernel_size": [3], "pad": [1], "pad_h": 1}, "pad_h"),
        ({"num_output": 4, "kernel_size": [3], "dilation": [0]}, "dilation"),
        (
            {"num_output": 4, "kernel_size": [3], "weight_filler": {"type": "xaver"}},
            "weight_filler.type",
        ),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == f"convolution_param.{path}"


@pytest.mark.parametrize(
    ("layer", "shapes", "path"),
    [
        (Convolution(4, (8,)), ((2, 3, 7, 9),), "kernel_size"),
        (Convolution(4, (3,), dilation=(4,)), ((2, 3, 7, 9),), "kernel_size"),
        (Convolution(4, (3, 3, 3)), ((2, 3, 7, 9),), "kernel_size"),
        (Convolution(4, (3,), (1, 1, 1)), ((2, 3, 7, 9),), "stride"),
        (Convolution(4, (3,), group=2), ((2, 3, 7, 9),), "group"),
        (Convolution(4, (3,), axis=4), ((2, 3, 7, 9),), "axis"),
    ],
)
def test_refuses_bottoms(layer, shapes, path):
    with pytest.raises(FieldError) as caught:
        layer.shapes(shapes)
    assert caught.value.field == f"convolution_param.{path}"


def test_refuses_bottoms_that_differ():
    with pytest.raises(BottomError) as caught:
        Convolution(4, (3,)).shapes(((2, 3, 7, 9), (2, 3, 7, 8)))
    assert caught.value.bottom == 1


def test_counts_and_words():
    layer = Convolution(96, (11,), (4,), group=1)
    bottoms = ((2, 3, 227, 227),)
    tops = layer.shapes(bottoms)
    assert tops == ((2, 96, 55, 55),)
    assert layer.macs(bottoms, tops) == 2 * 96 * 55 * 55 * 3 * 11 * 11
    assert [(p.role, p.shape) for p in layer.params(bottoms)] == [
        ("weight", (96, 3, 11, 11)),
        ("bias", (96,)),
    ]
    assert layer.settings() == "11×11/4 →96"
    assert Convolution(64, (7,), (2,), (3,)).settings() == "7×7/2 p3 →64"
    assert Convolution(8, (1, 7), pad=(0, 3), dilation=(2,), group=4).settings() == (
        "1×7 p0×3 d2 g4 →8"
    )
