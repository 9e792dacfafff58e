"""HingeLoss against a loop over scores."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import NCHW, Phase
from netdef.layers.hinge_loss import HingeLoss
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def labels(classes):
    return {1: lambda random, shape: random.integers(0, classes, shape)}


class TestHingeLoss(LayerLaws):
    cases = [
        Case(HingeLoss(), ((4, 3), (4,)), bottoms=labels(3)),
        Case(HingeLoss("L2"), ((4, 3), (4, 1)), bottoms=labels(3)),
        Case(HingeLoss(), ((2, 3, 5), (2,)), bottoms=labels(15)),
    ]

    def reference(self, layer, bottoms, params):
        x, label = bottoms
        total = 0.0
        for row, k in zip(x.reshape(len(x), -1), label.reshape(-1), strict=True):
            for j, score in enumerate(row):
                lacks = max(1 - score if j == k else 1 + score, 0)
                total += lacks**2 if layer.norm == "L2" else lacks
        return (np.array(total / len(x)),)


def stand(layer, x, label):
    x, label = np.asarray(x, float), np.asarray(label)
    return Stand(Case(layer, (x.shape, label.shape), bottoms={0: x, 1: label}), NCHW)


def test_enough_margin_costs_nothing():
    run = stand(HingeLoss(), [[2, -1.5, -1]], [0])
    assert run.forward()[0] == 0
    assert run.backward([np.array(1.0)])[0][0].tolist() == [[0, 0, 0]]


def test_nan_is_carried_backward():
    run = stand(HingeLoss(), [[np.nan, -1.5]], [0])
    assert np.isnan(run.forward()[0])
    assert np.isnan(run.backward([np.array(1.0)])[0][0][0, 0])


@pytest.mark.parametrize("norm", ["L1", "L2"])
def test_an_empty_batch_has_loss_0(norm):
    run = stand(HingeLoss(norm), np.zeros((0, 3)), np.zeros(0))
    assert run.forward()[0] == 0
    assert run.backward([np.array(1.0)])[0][0].shape == (0, 3)


def test_labels():
    with pytest.raises(BottomError, match="holds label -1 at index 0, the classes are 0 to 1"):
        stand(HingeLoss(), [[1, 0]], [-1]).forward()
    with pytest.raises(BottomError, match="needs one label for each of 2 examples"):
        HingeLoss().shapes(((2, 3), (2, 3)))


def test_read():
    assert HingeLoss.read(LayerParameter(), Phase.TEST) == HingeLoss()
    layer = HingeLoss.read(LayerParameter(hinge_loss_param={"norm": "L2"}), Phase.TEST)
    assert layer == HingeLoss("L2")
    assert (layer.settings(), HingeLoss().settings()) == ("L2", "")
