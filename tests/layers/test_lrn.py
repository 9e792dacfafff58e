"""LRN against sums over windows, one value at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.kernels.blocks import BLOCK
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.lrn import LRN
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, close

WITHIN = "WITHIN_CHANNEL"


class TestLRN(LayerLaws):
    cases = [
        Case(LRN(3, 0.5), ((3, 7, 4, 5),)),
        Case(LRN(5, 0.5, 0.5), ((3, 4, 2, 5),)),
        Case(LRN(1, 2.0, 1.0, 2.0), ((3, 4, 2, 5),)),
        Case(LRN(7, 1.5, 0.6, 2.0), ((3, 9, 2, 5),)),
        Case(LRN(9, 1.5), ((2, 3, 4, 5),)),  # wider than there are channels
        Case(LRN(3, 0.9, norm_region=WITHIN), ((2, 3, 4, 6),)),
        Case(LRN(5, 0.9, 0.6, norm_region=WITHIN), ((3, 2, 7, 4),)),
        Case(LRN(7, 0.9, norm_region=WITHIN), ((3, 2, 4, 5),)),  # wider than the image
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        reach = layer.local_size // 2
        near = range(-reach, reach + 1)
        if layer.norm_region == WITHIN:
            shifts = [(0, h, w) for h, w in itertools.product(near, near)]
        else:
            shifts = [(c, 0, 0) for c in near]
        divisor = np.empty_like(x)
        for n, *at in np.ndindex(x.shape):
            total = 0.0
            for shift in shifts:
                c, h, w = (a + s for a, s in zip(at, shift, strict=True))
                if 0 <= c < x.shape[1] and 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                    total += x[n, c, h, w] ** 2
            divisor[n, *at] = (layer.k + layer.alpha * total / len(shifts)) ** layer.beta
        return (x / divisor,)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(LRN(5, 0.5), (6, 64, 13, 31)), (LRN(3, 0.5, norm_region=WITHIN), (9, 11, 40, 41))],
)
def test_parts_join(layer, shape):
    """What is larger than a block, in parts that end unevenly, is what its pieces are alone."""
    assert np.prod(shape) > 2 * BLOCK
    stand = Stand(Case(layer, (shape,)), CHWN)
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    stand._bottom_values[0][...] = np.moveaxis(x, 0, -1)
    (y,) = stand.forward()
    dy = np.random.default_rng(3).standard_normal(shape)
    (dx,), _ = stand.backward([dy])
    for n in range(2):
        alone = Stand(Case(layer, ((1, *shape[1:]),)), CHWN, bottoms=[x[n : n + 1]])
        close(alone.forward()[0], y[n : n + 1], 1e-6, "y")
        (part,), _ = alone.backward([dy[n : n + 1]])
        close(part, dx[n : n + 1], 1e-5, "dx")


def test_a_large_value_spoils_only_its_neighbours():
    x = np.full((1, 9, 1, 1), 1e-2)
    x[0, 1] = 1e6
    (y,) = Stand(Case(LRN(3, 1.0, 0.5), (x.shape,)), CHWN, bottoms=[x]).forward()
    np.testing.assert_allclose(y[0, 3:, 0, 0], y[0, 8, 0, 0], rtol=1e-4)


@pytest.mark.parametrize("region", ["ACROSS_CHANNELS", WITHIN])
def test_an_empty_batch(region):
    """The plan runs what is empty in Caffe's order."""
    stand = Stand(Case(LRN(norm_region=region), ((0, 3, 4, 5),)), NCHW)
    stand.forward()
    (dx,), _ = stand.backward([np.zeros((0, 3, 4, 5))])
    assert dx.shape == (0, 3, 4, 5)


def read(**fields):
    return LRN.read(LayerParameter(lrn_param=fields), Phase.TEST)


def test_reads_what_is_written():
    assert read() == LRN()
    assert read(local_size=3, alpha=2, beta=0.5, k=4) == LRN(3, 2, 0.5, 4)
    assert read(norm_region=1, k=4) == LRN(norm_region=WITHIN)  # k is ignored there, as in Caffe


@pytest.mark.parametrize("size", [0, 4])
def test_refuses_an_even_size(size):
    with pytest.raises(FieldError) as caught:
        read(local_size=size)
    assert caught.value.field == "lrn_param.local_size"


def test_refuses_what_is_no_image():
    with pytest.raises(BottomError):
        LRN().shapes(((2, 3, 5),))


def test_words():
    assert LRN(5, 1e-4).settings() == "5 α0.0001 β0.75"
    assert LRN(3, 1, 0.5, 2).settings() == "3 α1 β0.5 k2"
    assert LRN(3, norm_region=WITHIN).settings() == "3×3 α1 β0.75"
