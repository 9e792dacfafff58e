"""Dropout: how much it drops, that the rest is scaled, and that backward drops the same."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.kernels.blocks import BLOCK
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.dropout import Dropout
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestDropout(LayerLaws):
    cases = [
        Case(Dropout(0.4), ((2, 3, 5),)),
        Case(Dropout(0.5), ((7,),)),
        Case(Dropout(0.25), ((2, BLOCK // 2 + 3),), name="more than a block"),
        Case(Dropout(0.4, train=False), ((2, 3, 5),)),
        Case(Dropout(0), ((2, 3),)),
    ]

    def reference(self, layer, bottoms, params):
        return bottoms if not layer.train or layer.dropout_ratio == 0 else None


def many(ratio):
    """A pass over a million ones, and its gradient."""
    shape = (1000, 1001)
    case = Case(Dropout(ratio), (shape,), bottoms={0: np.ones(shape)})
    stand = Stand(case, NCHW)
    (y,) = stand.forward()
    (dx,), _ = stand.backward([np.full(shape, 3.0)])
    return y, dx


@pytest.mark.parametrize("ratio", [0.1, 0.4, 0.5, 0.9, 1 / 3])
def test_as_many_are_dropped_as_asked_and_the_mean_stays(ratio):
    y, _ = many(ratio)
    deviation = (ratio * (1 - ratio) / y.size) ** 0.5
    assert abs(np.mean(y == 0) - ratio) < 4 * deviation + 8e-6
    assert set(np.unique(y)) == {0, np.float32(1 / (1 - ratio))}


def test_backward_drops_what_forward_dropped():
    y, dx = many(0.3)
    np.testing.assert_allclose(dx, 3 * y, rtol=1e-6)


def test_neighbours_are_dropped_independently():
    y, _ = many(0.5)
    dropped = (y.reshape(-1) == 0).astype(float) - 0.5
    for distance in (1, 2, 3, 4, 64):
        assert abs(np.mean(dropped[distance:] * dropped[:-distance])) < 0.25 * 4e-3


@pytest.mark.parametrize("ratio", [1.0, -0.1, 50.0])
def test_no_chance_is_refused(ratio):
    with pytest.raises(FieldError, match="at least 0 and below 1") as caught:
        Dropout.read(LayerParameter(dropout_param={"dropout_ratio": ratio}), Phase.TRAIN)
    assert caught.value.field == "dropout_param.dropout_ratio"
    assert ("0.5" in caught.value.help) is True


def test_a_test_changes_nothing_and_is_a_view():
    layer = Dropout.read(LayerParameter(), Phase.TEST)
    assert layer == Dropout(0.5, train=False)
    assert layer.is_view(((2, 3),))
    assert not Dropout.read(LayerParameter(), Phase.TRAIN).is_view(((2, 3),))
    assert not layer.buffers(Stand(Case(layer, ((2, 3),)), CHWN).site)
