"""Im2col against windows looked at one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.convolution import Convolution
from netdef.layers.im2col import Im2col
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, random


class TestIm2col(LayerLaws):
    cases = [
        Case(Im2col((3,)), ((2, 3, 7, 5),), name="3x3"),
        Case(Im2col((3,), (2,), (1,)), ((2, 3, 8, 5),), name="padded"),
        Case(Im2col((3, 2), (1, 3), (2, 0)), ((3, 4, 7, 9),), name="uneven"),
        Case(Im2col((2,), (3,)), ((3, 4, 7, 9),), name="gaps"),
        Case(Im2col((3,), pad=(2,), dilation=(2,)), ((2, 3, 7, 6),), name="dilated"),
        Case(Im2col((2,), dilation=(3, 1)), ((2, 3, 7, 6),), name="dilated-uneven"),
        Case(Im2col((5,), pad=(4,)), ((2, 4, 3, 1),), name="mostly-padding"),
        Case(Im2col((1,), (1,), (2,)), ((2, 4, 3, 5),), name="windows-of-padding-alone"),
        Case(Im2col((3,), (2,), (1,)), ((2, 3, 7),), name="1d"),
        Case(Im2col((2, 3, 1), (1, 2, 1), (1, 0, 1)), ((3, 2, 4, 5, 6),), name="3d"),
        Case(Im2col((3,), axis=-3), ((2, 3, 7, 5),), name="negative-axis"),
        Case(Im2col((2,), axis=2), ((2, 3, 4, 7, 5),), name="two-batch-axes"),
        Case(Im2col((2,), axis=0), ((4, 7, 5),), name="no-batch-axis", batch_of_one=False),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        axis = layer.axis % x.ndim
        n = x.ndim - axis - 1
        kernel, stride, pad, dilation = (
            sizes if len(sizes) == n else sizes * n
            for sizes in (layer.kernel_size, layer.stride, layer.pad, layer.dilation)
        )
        padded = np.pad(x, [(0, 0)] * (axis + 1) + [(p, p) for p in pad])
        out = [
            (size - d * (k - 1) - 1) // s + 1
            for size, k, s, d in zip(
                padded.shape[axis + 1 :], kernel, stride, dilation, strict=True
            )
        ]
        y = np.zeros((*x.shape[:axis], x.shape[axis] * int(np.prod(kernel)), *out))
        before = (slice(None),) * axis
        for place in product(*map(range, out)):
            seen = [
                padded[
                    (
                        *before,
                        c,
                        *(
                            p * s + t * d
                            for p, s, t, d in zip(place, stride, tap, dilation, strict=True)
                        ),
                    )
                ]
                for c in range(x.shape[axis])
                for tap in product(*map(range, kernel))
            ]
            y[(*before, slice(None), *place)] = np.stack(seen, axis=-1)
        return (y,)


def test_a_product_with_its_columns_is_a_convolution():
    x, w = random().standard_normal((2, 3, 7, 5)), random().standard_normal((4, 3, 3, 2))
    sizes = ((3, 2), (2, 1), (1, 0))
    (columns,) = Stand(Case(Im2col(*sizes), (x.shape,)), CHWN, bottoms=[x]).forward()
    case = Case(Convolution(4, *sizes, bias_term=False), (x.shape,))
    (y,) = Stand(case, CHWN, bottoms=[x], params=[w]).forward()
    np.testing.assert_allclose(
        np.einsum("of,nfhw->nohw", w.reshape(4, -1), columns), y, rtol=1e-4, atol=1e-5
    )


def test_batch_lies_last_only_where_the_first_axis_is_the_batch():
    assert Im2col((3,)).layout_at(((2, 3, 7, 5),)) is CHWN
    assert Im2col((3,), axis=2).layout_at(((2, 3, 4, 7, 5),)) is NCHW
    assert Im2col((3,), axis=0).layout_at(((3, 7, 5),)) is NCHW


def read(**fields):
    return Im2col.read(LayerParameter(convolution_param=fields), Phase.TRAIN)


def test_reads_what_is_written():
    assert read(kernel_size=[3], stride=[2], pad=[1]) == Im2col((3,), (2,), (1,))
    assert read(kernel_h=3, kernel_w=5, pad_w=2, dilation=[2]) == Im2col(
        (3, 5), pad=(0, 2), dilation=(2,)
    )
    assert read(kernel_size=[3], num_output=7, group=2, axis=2) == Im2col((3,), axis=2)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "kernel_size"),
        ({"kernel_size": [0]}, "kernel_size"),
        ({"kernel_h": 3}, "kernel_w"),
        ({"kernel_size": [3], "stride": [0]}, "stride"),
        ({"kernel_size": [3], "stride": [1], "stride_h": 1, "stride_w": 1}, "stride_h"),
        ({"kernel_size": [3], "dilation": [0]}, "dilation"),
        ({"kernel_size": [3], "dilation": [2, 0]}, "dilation[1]"),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == f"convolution_param.{path}"


@pytest.mark.parametrize(
    ("layer", "path"),
    [
        (Im2col((6,)), "kernel_size"),
        (Im2col((3,), dilation=(3,)), "kernel_size"),
        (Im2col((3, 3, 3)), "kernel_size"),
        (Im2col((3,), (1, 1, 1)), "stride"),
        (Im2col((3,), pad=(1, 1, 1)), "pad"),
        (Im2col((3,), axis=4), "axis"),
        (Im2col((3,), axis=3), "axis"),
    ],
)
def test_refuses_what_does_not_fit_the_bottom(layer, path):
    with pytest.raises(FieldError) as caught:
        layer.shapes(((2, 3, 7, 5),))
    assert caught.value.field == f"convolution_param.{path}"


def test_words():
    assert Im2col((3,), (2,), (1,)).settings() == "3×3/2 p1"
    assert Im2col((1, 7), dilation=(2,)).settings() == "1×7 d2"
