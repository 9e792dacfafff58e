"""BatchNorm against means over all other axes, and what it stores."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.batch_norm import BatchNorm
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Shards, Stand, close


def stored(channels, factor=2.5):
    random = np.random.default_rng(11)
    return [
        random.standard_normal(channels),
        random.uniform(0.5, 3, channels),
        np.array([factor]),
    ]


class TestBatchNorm(LayerLaws):
    cases = [
        Case(BatchNorm(), ((4, 3, 5, 2),), batch_of_one=False),
        Case(BatchNorm(eps=0.1), ((7, 3),), batch_of_one=False),
        Case(BatchNorm(eps=0.1), ((1, 3, 5, 2),)),
        Case(BatchNorm(), ((6,),), batch_of_one=False),
        Case(BatchNorm(use_global_stats=True), ((4, 3, 5, 2),), params=stored(3)),
        Case(BatchNorm(use_global_stats=True), ((7, 3),), params=stored(3, 0.0)),
        Case(BatchNorm(use_global_stats=True), ((6,),), params=stored(1)),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        axes = tuple(a for a in range(x.ndim) if a != 1)
        shape = [-1 if a == 1 else 1 for a in range(x.ndim)]
        if layer.use_global_stats:
            factor = 0 if params[2][0] == 0 else 1 / params[2][0]
            mean, variance = ((p * factor).reshape(shape) for p in params[:2])
        else:
            mean, variance = np.mean(x, axes, keepdims=True), np.var(x, axes, keepdims=True)
        return ((x - mean) / np.sqrt(variance + layer.eps),)


def moved(layer, x, params):
    """What is stored after a batch."""
    keep = layer.moving_average_fraction
    rows = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    new = rows.mean(1), rows.var(1, ddof=min(1, rows.shape[1] - 1)), 1.0
    return [keep * p + n for p, n in zip(params, new, strict=True)]


@pytest.mark.parametrize("shape", [(4, 3, 5, 2), (7, 3), (1, 3)])
@pytest.mark.parametrize("shards", [1, 3])
def test_statistics_move(shape, shards):
    layer = BatchNorm(moving_average_fraction=0.9)
    case = Case(layer, (shape,), params=stored(3))
    stand = Shards(case, min(shards, shape[0]))
    stand.forward()
    expected = moved(layer, case.bottom_values()[0], case.param_values())
    for param, right in zip(stand.params, expected, strict=True):
        close(param, right, 1e-6, "stored")


def test_global_statistics_stay():
    stand = Stand(Case(BatchNorm(True), ((4, 3),), params=stored(3)), CHWN)
    stand.forward()
    for param, value in zip(stand.params, stored(3), strict=True):
        np.testing.assert_array_equal(param, np.float32(value))


@pytest.mark.parametrize("shards", [1, 2])
def test_a_mean_far_from_0_leaves_the_variance(shards):
    """The mean of squares less the square of the mean would be all rounding error here."""
    x = 1000 + np.random.default_rng(4).standard_normal((64, 2, 9, 10)).astype(np.float32)
    case = Case(BatchNorm(), (x.shape,), params=[np.zeros(2), np.zeros(2), np.zeros(1)])
    stand = Shards(case, shards, bottoms=[x])
    (y,) = stand.forward()
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, rtol=1e-4)
    variance = x.astype(np.float64).var(axis=(0, 2, 3), ddof=1)
    np.testing.assert_allclose(stand.params[1], variance, rtol=1e-4)


def test_statistics_have_no_gradient():
    """Where force_backward asks for it all the same, it is 0 as in Caffe."""
    case = Case(BatchNorm(), ((4, 3),))
    stand = Stand(case, CHWN, learns=(True, True, True))
    stand.forward()
    _, diffs = stand.backward([np.ones((4, 3))])
    assert not any(np.any(d) for d in diffs)


def read(phase=Phase.TRAIN, **fields):
    return BatchNorm.read(LayerParameter(**fields), phase)


def test_the_phase_says_which_statistics_unless_the_layer_does():
    assert not read(Phase.TRAIN).use_global_stats
    assert read(Phase.TEST).use_global_stats
    assert read(Phase.TRAIN, batch_norm_param={"use_global_stats": True}).use_global_stats
    assert not read(Phase.TEST, batch_norm_param={"use_global_stats": False}).use_global_stats


def test_reads_what_is_written():
    fields = {"moving_average_fraction": 0.75, "eps": 0.5}
    assert read(batch_norm_param=fields) == BatchNorm(False, 0.75, 0.5)
    assert read() == BatchNorm(False, pytest.approx(0.999), pytest.approx(1e-5))


def test_what_backward_reads():
    assert BatchNorm().reads_tops
    assert not BatchNorm().reads_bottoms
    assert not BatchNorm(True).reads_tops
    assert BatchNorm(True).forward_stages == ("forward",)


def test_statistics_are_no_params_of_the_solver():
    assert all(p.statistic for p in BatchNorm().params(((2, 3),)))
    assert [p.shape for p in BatchNorm().params(((2, 3, 5),))] == [(3,), (3,), (1,)]
    assert read(param=[{"lr_mult": 0}] * 3) == read()
    with pytest.raises(FieldError) as caught:
        read(param=[{"lr_mult": 0}, {"lr_mult": 2}])
    assert caught.value.field == "param[1].lr_mult"


@pytest.mark.parametrize("layer", [BatchNorm(), BatchNorm(True)])
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_nothing_to_normalise(layer, shape):
    """The plan runs what is empty in Caffe's order."""
    params = [np.ones(p.shape) for p in layer.params((shape,))]
    stand = Stand(Case(layer, (shape,), params=params), NCHW)
    stand.forward()
    (dx,), _ = stand.backward([np.zeros(shape)])
    assert dx.shape == shape
    assert all(np.all(p == 1) for p in stand.params)


def test_refuses_a_scalar():
    with pytest.raises(BottomError):
        BatchNorm().shapes(((),))


def test_words():
    assert [BatchNorm().settings(), BatchNorm(True).settings()] == ["", "global stats"]
