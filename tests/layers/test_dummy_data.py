"""DummyData: constants stay, random numbers change, old shapes are understood."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import NCHW, Forward, Phase, Site
from netdef.layers.dummy_data import DummyData
from netdef.layers.filler import Filler
from netdef.schema import LayerParameter


def read(tops=1, **param):
    message = LayerParameter(dummy_data_param=param, top=list("abc"[:tops]))
    return DummyData.read(message, Phase.TRAIN)


def started(layer):
    """A run whose random numbers go on from pass to pass."""
    shapes = layer.shapes(())
    random = np.random.default_rng(3)
    tops = [np.full(s, np.nan, np.float32) for s in shapes]
    run = Forward(Site(NCHW, (), shapes), [], tops, random=lambda: random)
    run.work = layer.prepare(run)
    return run


def test_constants_are_filled_once_and_random_tops_in_each_pass():
    layer = DummyData(((2, 3),), (Filler(value=7), Filler("gaussian", std=2)), 2)
    run = started(layer)
    layer.forward(run)
    assert np.all(run.top(0) == 7)
    first = run.top(1).copy()
    run.top(0)[...] = 5  # as a user may write
    layer.forward(run)
    assert np.all(run.top(0) == 5)
    assert np.all(np.isfinite(first))
    assert not np.any(first == run.top(1))


def test_without_a_filler_tops_are_0():
    layer = read(2, shape=[{"dim": [2, 3]}])
    run = started(layer)
    layer.forward(run)
    assert all(np.all(top == 0) and top.shape == (2, 3) for top in run.tops)


def test_one_filler_is_for_all_tops():
    layer = read(2, shape=[{"dim": [4]}], data_filler=[{"type": "uniform", "min": 1, "max": 2}])
    run = started(layer)
    layer.forward(run)
    assert all(1 <= top.min() <= top.max() <= 2 for top in run.tops)
    assert not np.array_equal(*run.tops)


def test_old_shapes():
    layer = read(2, num=[5], channels=[2, 3], height=[1], width=[7])
    assert layer.shapes(()) == ((5, 2, 1, 7), (5, 3, 1, 7))


@pytest.mark.parametrize(
    ("tops", "param", "field"),
    [
        (1, {}, "shape"),
        (2, {"shape": [{"dim": [1]}] * 3}, "shape[2]"),
        (1, {"shape": [{"dim": [2, -1]}]}, "shape[0].dim[1]"),
        (1, {"shape": [{"dim": [1]}], "num": [1]}, "num[0]"),
        (1, {"num": [1], "channels": [1], "height": [1]}, "width"),
        (3, {"num": [1, 2], "channels": [1], "height": [1], "width": [1]}, "num[1]"),
        (3, {"shape": [{"dim": [1]}], "data_filler": [{}, {}]}, "data_filler[1]"),
        (1, {"shape": [{"dim": [1]}], "data_filler": [{"type": "xaver"}]}, "data_filler[0].type"),
    ],
)
def test_wrong_settings_are_refused(tops, param, field):
    with pytest.raises(FieldError) as caught:
        read(tops, **param)
    assert caught.value.field == f"dummy_data_param.{field}"


def test_a_filler_that_cannot_fill_its_shape_is_refused():
    with pytest.raises(FieldError, match="square kernels") as caught:
        read(shape=[{"dim": [2, 3]}], data_filler=[{"type": "bilinear"}]).shapes(())
    assert caught.value.field == "dummy_data_param.data_filler[0].type"
    with pytest.raises(FieldError, match="cannot fill a scalar"):
        read(shape=[{}], data_filler=[{"type": "xavier"}]).shapes(())
