"""MultinomialLogisticLoss against a loop over examples."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import NCHW
from netdef.layers.multinomial_logistic_loss import MultinomialLogisticLoss
from tests.layers.laws import Case, LayerLaws, Stand


def positive(random, shape):
    return random.uniform(0.1, 1, shape)


def labels(classes):
    return lambda random, shape: random.integers(0, classes, shape)


class TestMultinomialLogisticLoss(LayerLaws):
    cases = [
        Case(MultinomialLogisticLoss(), ((4, 3), (4,)), bottoms={0: positive, 1: labels(3)}),
        Case(MultinomialLogisticLoss(), ((2, 3, 5), (2, 1)), bottoms={0: positive, 1: labels(15)}),
    ]

    def reference(self, layer, bottoms, params):
        p, label = bottoms
        rows = p.reshape(len(p), -1)
        picked = [row[int(k)] for row, k in zip(rows, label.reshape(-1), strict=True)]
        return (np.array(sum(-log(v) for v in picked) / len(p)),)


def stand(p, label):
    p, label = np.asarray(p, float), np.asarray(label)
    case = Case(MultinomialLogisticLoss(), (p.shape, label.shape), bottoms={0: p, 1: label})
    return Stand(case, NCHW)


def test_the_smallest_probability_counts_as_1e_20():
    run = stand([[0, 1], [1, 0]], [0, 0])
    assert run.forward()[0] == pytest.approx(46.0517 / 2, rel=1e-5)
    (dp, _), _ = run.backward([np.array(1.0)])
    assert dp[0, 0] == pytest.approx(-0.5e20)
    assert dp.reshape(-1).tolist()[1:] == [0, -0.5, 0]


def test_nan_is_carried():
    assert np.isnan(stand([[np.nan, 1]], [0]).forward()[0])


def test_an_empty_batch_has_loss_0():
    run = stand(np.zeros((0, 3)), np.zeros(0))
    assert run.forward()[0] == 0
    assert run.backward([np.array(1.0)])[0][0].shape == (0, 3)


def test_labels_that_are_no_class_stop_the_run():
    with pytest.raises(BottomError, match="holds label 2 at index 0, the classes are 0 to 1"):
        stand([[1, 0]], [2]).forward()


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (((2, 3), (3,)), "two different batches"),
        (((2, 3), (2, 3)), "it needs one label for each of 2 examples"),
    ],
)
def test_shapes_refuses(shapes, expected):
    with pytest.raises(BottomError, match=expected):
        MultinomialLogisticLoss().shapes(shapes)
