"""SPP against Pooling layers, as Caffe is built, and against bins written out."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import Phase
from netdef.layers.spp import SPP
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, random

TINY = np.finfo(np.float32).tiny


def bins(size, count):
    """Begin and end of each bin along an axis, and how many values an average counts."""
    kernel = ceil(size / count)
    pad = (kernel * count - size + 1) // 2
    for b in range(count):
        start = b * kernel - pad
        end = min(start + kernel, size + pad)
        yield max(0, start), min(size, end), end - start


def pyramid(layer, x, uniform):
    """All levels, bin by bin; `uniform` gives a level's random numbers as (n, c, i, j)."""
    parts = []
    for level in range(layer.pyramid_height):
        count = 2**level
        y = np.zeros((*x.shape[:2], count, count))
        drawn = uniform(y.shape)
        for i, (top, bottom, tall) in enumerate(bins(x.shape[2], count)):
            for j, (left, right, wide) in enumerate(bins(x.shape[3], count)):
                seen = x[:, :, top:bottom, left:right].reshape(*x.shape[:2], -1)
                if layer.pool == "MAX":
                    y[:, :, i, j] = np.fmax.reduce(seen, axis=2, initial=np.finfo(np.float32).min)
                elif layer.pool == "AVE":
                    y[:, :, i, j] = seen.sum(axis=2) / (tall * wide)
                elif layer.train:
                    running = np.cumsum(seen, axis=2)
                    goal = running[:, :, -1:] * drawn[:, :, i, j, None]
                    first = np.argmax(running >= goal, axis=2)[:, :, None]
                    y[:, :, i, j] = np.take_along_axis(seen, first, axis=2)[:, :, 0]
                else:
                    y[:, :, i, j] = (seen**2).sum(axis=2) / (seen.sum(axis=2) + TINY)
        parts.append(y.reshape(len(x), -1))
    if layer.pyramid_height == 1:
        return parts[0][:, :, None, None]
    return np.concatenate(parts, axis=1)


def not_negative(generator, shape):
    return generator.uniform(0.1, 1, shape)


class TestSPP(LayerLaws):
    cases = [
        Case(SPP(3), ((2, 3, 9, 8),), name="max"),
        Case(SPP(3), ((2, 5, 4, 6),), name="max-one-value-a-bin"),
        Case(SPP(1), ((2, 3, 5, 4),), name="max-one-level"),
        Case(SPP(2, "AVE"), ((2, 5, 3, 4),), name="ave-two-levels"),
        Case(SPP(3, "AVE"), ((2, 3, 13, 11),), name="ave-padded"),
        Case(SPP(1, "AVE"), ((2, 3, 5, 4),), name="ave-one-level"),
        Case(SPP(2, "STOCHASTIC"), ((3, 2, 6, 4),), bottoms={0: not_negative}, name="weighted"),
        Case(
            SPP(3, "STOCHASTIC", train=True),
            ((2, 3, 8, 4),),
            bottoms={0: not_negative},
            nonfinite=False,
            name="drawn",
        ),
    ]

    def reference(self, layer, bottoms, params):
        generator = random()

        def uniform(shape):
            # the pools draw with the batch innermost, one level after the other
            return np.moveaxis(generator.random((*shape[1:], shape[0]), np.float32), -1, 0)

        return (pyramid(layer, bottoms[0], uniform),)


def test_images_of_any_size_give_as_many_values():
    for size in ((13, 13), (10, 13), (16, 9), (12, 31)):
        assert SPP(3).shapes(((2, 256, *size),)) == ((2, 256 * 21),)
    assert SPP(1).shapes(((2, 256, 13, 10),)) == ((2, 256, 1, 1),)


def test_levels_share_the_gradient_of_a_value():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    case = Case(SPP(2), (x.shape,))
    stand = Stand(case, *case.layouts(), bottoms=[x])
    (y,) = stand.forward()
    np.testing.assert_array_equal(y, [[15, 5, 7, 13, 15]])
    (dx,), _ = stand.backward([np.array([[1.0, 2, 4, 8, 16]])])
    assert dx[0, 0, 3, 3] == 17
    assert dx.sum() == 31


def read(phase=Phase.TRAIN, **fields):
    return SPP.read(LayerParameter(spp_param=fields), phase)


def test_reads_what_is_written():
    assert read(Phase.TEST, pyramid_height=3) == SPP(3)
    assert read(Phase.TEST, pyramid_height=2, pool=1, engine=1) == SPP(2, "AVE")
    assert read(pyramid_height=2, pool=2).random
    assert not read(Phase.TEST, pyramid_height=2, pool=2).random
    assert not read(pyramid_height=2, pool=1).reads_bottoms


@pytest.mark.parametrize("fields", [{}, {"pyramid_height": 0}])
def test_refuses_no_levels(fields):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == "spp_param.pyramid_height"
    assert caught.value.help


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 0, 4), (2, 3, 4, 0)])
def test_refuses_what_is_no_image(shape):
    with pytest.raises(BottomError) as caught:
        SPP(2).shapes((shape,))
    assert caught.value.bottom == 0


@pytest.mark.parametrize(
    ("layer", "size", "path", "help"),
    [
        (SPP(4), (5, 9), "pyramid_height", "at most 2"),
        (SPP(2), (1, 9), "pyramid_height", "at most 1"),
        (SPP(2, "STOCHASTIC"), (5, 4), "pool", "MAX or AVE"),
    ],
)
def test_refuses_more_bins_than_fit(layer, size, path, help):
    with pytest.raises(FieldError) as caught:
        layer.shapes(((2, 3, *size),))
    assert caught.value.field == f"spp_param.{path}"
    assert help in caught.value.help


def test_words():
    assert SPP(3).settings() == "max 3 levels"
    assert SPP(1, "AVE").settings() == "ave 1 level"
