"""Pooling against a search through each window."""

from __future__ import annotations

from itertools import product
from math import ceil, floor

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.kernels.pooling import window
from netdef.layers.base import CHWN, Phase
from netdef.layers.pooling import Pooling
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, random

LOWEST = np.finfo(np.float32).min


def windows(layer, x):
    """Each output's place, its window's rows and columns, and how many values Caffe counts."""
    sizes = x.shape[2:]
    kernel = sizes if layer.global_pooling else (layer.kernel_size[0], layer.kernel_size[-1])
    stride, pad = (layer.stride[0], layer.stride[-1]), (layer.pad[0], layer.pad[-1])
    rounded = ceil if layer.round_mode == "CEIL" else floor
    spans = []
    for size, k, s, p in zip(sizes, kernel, stride, pad, strict=True):
        count = rounded((size + 2 * p - k) / s) + 1
        if sum(pad) and (count - 1) * s >= size + p:
            count -= 1
        starts = [i * s - p for i in range(count)]
        spans.append([(max(0, a), min(a + k, size), min(a + k, size + p) - a) for a in starts])
    for i, j in product(*(range(len(span)) for span in spans)):
        (top, bottom, tall), (left, right, wide) = spans[0][i], spans[1][j]
        yield (i, j), slice(top, bottom), slice(left, right), tall * wide


def pool(layer, x, uniform=None):
    """Output and mask, value by value."""
    out = [at for at, *_ in windows(layer, x)][-1]
    y = np.zeros((*x.shape[:2], out[0] + 1, out[1] + 1))
    mask = np.full(y.shape, -1.0)
    for n, c in product(range(x.shape[0]), range(x.shape[1])):
        for at, rows, columns, count in windows(layer, x):
            seen = x[n, c, rows, columns]
            if layer.pool == "MAX":
                best = LOWEST
                for h, w in product(*map(range, seen.shape)):
                    if seen[h, w] > best:
                        best = seen[h, w]
                        mask[(n, c, *at)] = (h + rows.start) * x.shape[3] + w + columns.start
                y[(n, c, *at)] = best
            elif layer.pool == "AVE":
                y[(n, c, *at)] = seen.sum() / np.float64(count)
            elif layer.train:
                y[(n, c, *at)] = draw(seen, uniform[(n, c, *at)])
            else:
                y[(n, c, *at)] = (seen**2).sum() / (seen.sum() + np.finfo(np.float32).tiny)
    return y, mask


def draw(seen, uniform):
    running, goal = 0.0, seen.sum() * uniform
    for value in seen.flat:
        running += value
        if running >= goal:
            return value
    return np.nan


def not_negative(generator, shape):
    return generator.uniform(0.1, 1, shape)


def few_values(generator, shape):
    return generator.integers(0, 3, shape)


class TestPooling(LayerLaws):
    cases = [
        Case(Pooling("MAX", (2,), (2,)), ((2, 3, 6, 8),), name="max-2/2"),
        Case(Pooling("MAX", (2,), (2,)), ((2, 3, 5, 7),), name="max-2/2-over-the-edge"),
        Case(Pooling("MAX", (3,), (2,)), ((2, 3, 8, 7),), name="max-3/2"),
        Case(Pooling("MAX", (3,), (1,), (1,)), ((2, 3, 5, 4),), name="max-3/1-padded"),
        Case(Pooling("MAX", (3, 2), (2, 1), (0, 1)), ((2, 3, 5, 4),), name="max-uneven"),
        Case(Pooling("MAX", (3,), (2,), (2,)), ((2, 3, 5, 4),), name="max-widely-padded"),
        Case(Pooling("MAX", (2,), (3,)), ((2, 3, 7, 8),), name="max-gaps"),
        Case(Pooling("MAX", (2,), (3,), round_mode="FLOOR"), ((2, 3, 7, 9),), name="max-floor"),
        Case(Pooling("MAX", (2,), (2,), round_mode="FLOOR"), ((2, 3, 7, 9),), name="max-left"),
        Case(Pooling("MAX", (3,), (2,), (1,), mask=True), ((2, 3, 6, 7),), name="max-mask"),
        Case(Pooling("MAX", global_pooling=True), ((2, 3, 5, 4),), name="max-global"),
        Case(Pooling("MAX", (1,), (1,)), ((2, 3, 5, 4),), name="max-1/1"),
        Case(Pooling("MAX", (4,), (3,)), ((4, 5, 3, 2),), name="max-larger-than-the-image"),
        Case(Pooling("AVE", (2,), (2,)), ((2, 3, 6, 8),), name="ave-2/2"),
        Case(Pooling("AVE", (3,), (2,)), ((2, 3, 8, 7),), name="ave-3/2-over-the-edge"),
        Case(Pooling("AVE", (3,), (1,), (1,)), ((2, 3, 5, 4),), name="ave-3/1-padded"),
        Case(Pooling("AVE", (3, 2), (2, 1), (2, 1)), ((2, 3, 5, 4),), name="ave-uneven"),
        Case(Pooling("AVE", (2,), (3,), round_mode="FLOOR"), ((2, 3, 7, 9),), name="ave-floor"),
        Case(Pooling("AVE", global_pooling=True), ((2, 3, 5, 4),), name="ave-global"),
        Case(
            Pooling("STOCHASTIC", (3,), (2,), train=True),
            ((2, 3, 8, 7),),
            bottoms={0: not_negative},
            name="drawn",
        ),
        Case(
            Pooling("STOCHASTIC", (3,), (2,)),
            ((2, 3, 8, 7),),
            bottoms={0: not_negative},
            name="weighted",
        ),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        (shape, *_) = layer.shapes((x.shape,))
        uniform = np.moveaxis(random().random((*shape[1:], shape[0]), np.float32), -1, 0)
        y, mask = pool(layer, x, uniform)
        return (y, mask) if layer.mask else (y,)


@pytest.mark.parametrize("law", ["forward_is_the_formula", "gradient_is_the_slope"])
@pytest.mark.parametrize("case", TestPooling.cases, ids=str)
def test_one_channel_at_a_time_gives_the_same(case, law, monkeypatch):
    monkeypatch.setattr(window, "_BLOCK", 1)
    getattr(TestPooling(), f"test_{law}")(case, CHWN)


@pytest.mark.parametrize(
    "case", [c for c in TestPooling.cases if c.layer.pool == "MAX"], ids=lambda c: c.name
)
def test_of_equal_values_the_first_in_reading_order_takes_the_gradient(case):
    x = few_values(np.random.default_rng(3), case.bottom_shapes[0]).astype(np.float64)
    y, mask = pool(case.layer, x)
    dy = np.random.default_rng(4).standard_normal(y.shape)
    expected = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(y.shape):
        if mask[n, c, i, j] >= 0:
            expected[(n, c, *divmod(int(mask[n, c, i, j]), x.shape[3]))] += dy[n, c, i, j]
    stand = Stand(case, CHWN, bottoms=[x])
    tops = stand.forward()
    (dx,), _ = stand.backward([dy] * len(tops))
    np.testing.assert_allclose(dx, expected, atol=1e-6)
    if case.layer.mask:
        np.testing.assert_array_equal(tops[1], mask)


def test_nan_is_never_the_largest():
    x = np.array([[[[np.nan, 1, np.nan, np.nan], [2, np.nan, np.nan, -np.inf]]]])
    case = Case(Pooling("MAX", (2,), (2,), mask=True), ((1, 1, 2, 4),))
    stand = Stand(case, CHWN, bottoms=[x])
    y, mask = stand.forward()
    np.testing.assert_array_equal(y, np.float32([[[[2, LOWEST]]]]))
    np.testing.assert_array_equal(mask, [[[[4, -1]]]])
    (dx,), _ = stand.backward([np.full(y.shape, 5.0)] * 2)
    np.testing.assert_array_equal(dx, [[[[0, 0, 0, 0], [5, 0, 0, 0]]]])


@pytest.mark.parametrize("kernel", [2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1])
def test_what_is_no_number_has_no_gradient(kernel, stride, pad):
    """Also where each tap of a window lies off the input for some outputs."""
    x = np.full((1, 2, 4, 5), np.nan)
    x[0, 1, 3, 2] = 1
    case = Case(Pooling("MAX", (kernel,), (stride,), (pad,)), (x.shape,))
    stand = Stand(case, CHWN, bottoms=[x])
    (y,) = stand.forward()
    (dx,), _ = stand.backward([np.ones(y.shape)])
    assert dx[0, 1, 3, 2] == np.count_nonzero(y == 1)
    dx[0, 1, 3, 2] = 0
    assert not dx.any()


@pytest.mark.parametrize(
    ("layer", "size", "out"),
    [
        (Pooling("MAX", (3,), (2,)), (55, 6), (27, 3)),
        (Pooling("MAX", (3,), (2,), round_mode="FLOOR"), (55, 6), (27, 2)),
        (Pooling("MAX", (2,), (2,), (1,)), (3, 4), (2, 3)),
        (Pooling("MAX", (1,), (3,)), (3, 4), (2, 2)),  # without padding nothing is dropped
        (Pooling("MAX", (1, 2), (3, 1), (0, 1)), (3, 4), (1, 5)),
        (Pooling("AVE", (4,), (2,)), (3, 9), (1, 4)),
        (Pooling("AVE", global_pooling=True), (7, 9), (1, 1)),
    ],
)
def test_output_size(layer, size, out):
    assert layer.shapes(((2, 3, *size),)) == ((2, 3, *out),)


def test_an_empty_window_has_no_mean():
    case = Case(Pooling("AVE", (1,), (3,)), ((1, 1, 3, 4),))
    (y,) = Stand(case, CHWN).forward()
    np.testing.assert_array_equal(np.isnan(y[0, 0]), [[False, False], [True, True]])


def test_draws_in_proportion():
    x = np.tile(np.array([[1.0, 0.0], [3.0, 0.0]]), (1, 1, 50, 50))
    case = Case(Pooling("STOCHASTIC", (2,), (2,), train=True), (x.shape,))
    (y,) = Stand(case, CHWN, bottoms=[x]).forward()
    assert set(np.unique(y)) == {1, 3}
    assert np.mean(y == 3) == pytest.approx(0.75, abs=0.03)


def read(phase=Phase.TRAIN, tops=("y",), **fields):
    return Pooling.read(LayerParameter(pooling_param=fields, top=tops), phase)


def test_reads_what_is_written():
    assert read(Phase.TEST, kernel_size=3, stride=2) == Pooling("MAX", (3,), (2,))
    assert read(Phase.TEST, pool=1, global_pooling=True) == Pooling("AVE", global_pooling=True)
    assert read(
        Phase.TEST, kernel_h=3, kernel_w=2, stride_h=2, stride_w=1, pad_h=1, pad_w=0, round_mode=1
    ) == Pooling("MAX", (3, 2), (2, 1), (1, 0), round_mode="FLOOR")
    assert read(kernel_size=3, tops=["y", "mask"]).mask
    assert read(kernel_size=3, pool=2).random
    assert not read(Phase.TEST, kernel_size=3, pool=2).random


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "pooling_param.kernel_size"),
        ({"kernel_size": 0}, "pooling_param.kernel_size"),
        ({"kernel_size": 2, "kernel_h": 2}, "pooling_param.kernel_h"),
        ({"kernel_h": 2}, "pooling_param.kernel_w"),
        ({"kernel_w": 2}, "pooling_param.kernel_h"),
        ({"kernel_h": 2, "kernel_w": 0}, "pooling_param.kernel_w"),
        ({"kernel_size": 2, "stride": 0}, "pooling_param.stride"),
        ({"kernel_size": 2, "stride_h": 1}, "pooling_param.stride_w"),
        ({"kernel_size": 2, "stride_h": 1, "stride_w": 1, "stride": 1}, "pooling_param.stride_h"),
        ({"kernel_size": 2, "pad": 2}, "pooling_param.pad"),
        ({"kernel_size": 2, "pad_w": 1}, "pooling_param.pad_h"),
        ({"kernel_size": 2, "pad_h": 1, "pad_w": 2}, "pooling_param.pad_w"),
        ({"kernel_size": 2, "pad": 1, "pool": 2}, "pooling_param.pad"),
        ({"global_pooling": True, "kernel_size": 2}, "pooling_param.kernel_size"),
        ({"global_pooling": True, "pad": 1}, "pooling_param.pad"),
        ({"global_pooling": True, "stride": 2}, "pooling_param.stride"),
        ({"kernel_size": 2, "pool": 1, "tops": ["y", "mask"]}, "top[1]"),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == path


def test_refuses_bottoms():
    with pytest.raises(BottomError):
        Pooling("MAX", (2,)).shapes(((2, 3, 4),))
    with pytest.raises(FieldError) as caught:
        Pooling("MAX", (5,)).shapes(((2, 3, 4, 6),))
    assert caught.value.field == "pooling_param.kernel_size"


def test_words():
    assert Pooling("MAX", (3,), (2,)).settings() == "max 3×3/2"
    assert Pooling("AVE", (3,), (1,), (1,)).settings() == "ave 3×3 p1"
    assert Pooling("AVE", global_pooling=True).settings() == "ave global"
