"""SoftmaxWithLoss against a loop over positions, and the traps of Caffe's divisor."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import NCHW, Phase
from netdef.layers.softmax_with_loss import SoftmaxWithLoss
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def labels(classes):
    return {1: lambda random, shape: random.integers(0, classes, shape)}


def scores(x, axis):
    """The scores of each position, one row each."""
    return np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])


class TestSoftmaxWithLoss(LayerLaws):
    cases = [
        Case(SoftmaxWithLoss(), ((5, 4), (5,)), bottoms=labels(4)),
        Case(SoftmaxWithLoss(), ((5, 4, 1, 1), (5, 1, 1, 1)), bottoms=labels(4)),
        Case(SoftmaxWithLoss(), ((2, 4, 3, 7), (2, 3, 7)), bottoms=labels(4)),
        Case(SoftmaxWithLoss(2), ((2, 3, 7), (2, 3)), bottoms=labels(7)),
        Case(SoftmaxWithLoss(-1), ((2, 3, 7), (2, 3, 1)), bottoms=labels(7)),
        *(
            Case(SoftmaxWithLoss(1, 2, mode), ((2, 4, 3, 7), (2, 3, 7)), bottoms=labels(4))
            for mode in ("FULL", "VALID", "BATCH_SIZE", "NONE")
        ),
    ]

    def reference(self, layer, bottoms, params):
        x, label = bottoms
        total, valid = 0.0, 0
        for row, k in zip(scores(x, layer.axis), label.reshape(-1).astype(int), strict=True):
            if k != layer.ignore_label:
                total -= np.log(np.exp(row[k]) / np.exp(row).sum())
                valid += 1
        divisors = {"FULL": label.size, "VALID": valid, "BATCH_SIZE": x.shape[0], "NONE": 1}
        by = np.prod(x.shape[: layer.axis]) if layer.axis > 1 else divisors[layer.normalization]
        return (np.array(total / max(1, by)),)


def run(layer, x, label, weight=1.0):
    """The tops and the gradient of the scores."""
    x, label = np.asarray(x, float), np.asarray(label)
    case = Case(layer, (x.shape, label.shape), bottoms={0: x, 1: label})
    stand = Stand(case, NCHW)
    tops = stand.forward()
    (dx, _), _ = stand.backward([np.array(weight), *([x * 0 + 9] if layer.tops == 2 else [])])
    return tops, dx


def test_a_probability_of_0_costs_87_3365():
    (loss,), _ = run(SoftmaxWithLoss(), [[1000, 0]], [1])
    assert f"{loss:.4f}" == "87.3365"


@pytest.mark.parametrize(
    ("mode", "by"), [("FULL", 4), ("VALID", 3), ("BATCH_SIZE", 2), ("NONE", 1)]
)
def test_divisor(mode, by):
    x, label = np.zeros((2, 5, 2)), [[0, 1], [2, 4]]
    (loss,), dx = run(SoftmaxWithLoss(1, 4, mode), x, label, weight=0.7)
    np.testing.assert_allclose(loss, 3 * np.log(5) / by, rtol=1e-6)
    np.testing.assert_allclose(dx[0, :, 0], 0.7 / by * np.array([-0.8, 0.2, 0.2, 0.2, 0.2]))
    assert not dx[1, :, 1].any()


@pytest.mark.parametrize("mode", ["VALID", "FULL"])
def test_a_batch_of_ignored_labels_costs_nothing(mode):
    (loss,), dx = run(SoftmaxWithLoss(1, 255, mode), np.zeros((2, 3)), [255, 255])
    assert loss == 0
    assert not dx.any()


def test_an_empty_batch_costs_nothing():
    (loss,), dx = run(SoftmaxWithLoss(), np.zeros((0, 3)), np.zeros(0))
    assert loss == 0
    assert dx.shape == (0, 3)


def test_the_second_top_is_the_probabilities_and_takes_no_gradient():
    x, label = np.log([[1.0, 3.0], [4.0, 1.0]]), [0, 1]
    (_, p), dx = run(SoftmaxWithLoss(tops=2), x, label)
    np.testing.assert_allclose(p, [[0.25, 0.75], [0.8, 0.2]], rtol=1e-6)
    np.testing.assert_allclose(dx, [[-0.375, 0.375], [0.4, -0.4]], rtol=1e-6)


def test_backward_can_run_twice():
    case = Case(SoftmaxWithLoss(), ((5, 4), (5,)), bottoms=labels(4))
    stand = Stand(case, NCHW)
    stand.forward()
    first, second = (stand.backward([np.array(1.0)])[0][0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ([0, 12, 1], "holds label 12 at index 1, the classes are 0 to 9"),
        ([0, 1, -1], "holds label -1 at index 2"),
        ([np.nan, 1, 1], "holds label nan at index 0"),
    ],
)
def test_labels_that_are_no_class_stop_the_run(label, message):
    with pytest.raises(BottomError, match=message) as caught:
        run(SoftmaxWithLoss(), np.zeros((3, 10)), label)
    assert caught.value.bottom == 1


def test_an_ignored_label_need_not_be_a_class():
    (loss,), _ = run(SoftmaxWithLoss(1, -1), np.zeros((2, 3)), [-1, 2])
    np.testing.assert_allclose(loss, np.log(3), rtol=1e-6)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 3, 5), (2,)), "2 labels for 10 positions"),
        (((2, 3), (3,)), "two different batches"),
        (((2, 3), ()), "is a scalar"),
    ],
)
def test_labels_must_be_one_for_each_position(shapes, message):
    with pytest.raises(BottomError, match=message) as caught:
        SoftmaxWithLoss().shapes(shapes)
    assert caught.value.bottom == 1


def test_an_axis_that_is_not_there_is_refused():
    with pytest.raises(FieldError) as caught:
        SoftmaxWithLoss().shapes(((2,), (2,)))
    assert caught.value.field == "softmax_param.axis"


@pytest.mark.parametrize(
    ("param", "mode"),
    [
        ({}, "VALID"),
        ({"normalize": False}, "BATCH_SIZE"),
        ({"normalize": True}, "VALID"),
        ({"normalization": 0, "normalize": False}, "FULL"),
        ({"normalization": 3}, "NONE"),
    ],
)
def test_normalization_and_its_old_spelling(param, mode):
    message = LayerParameter(loss_param=param, top=["loss", "p"])
    assert SoftmaxWithLoss.read(message, Phase.TRAIN) == SoftmaxWithLoss(1, None, mode, 2)


def test_ignore_label_0_is_not_none():
    message = LayerParameter(loss_param={"ignore_label": 0}, top=["loss"])
    assert SoftmaxWithLoss.read(message, Phase.TRAIN).ignore_label == 0
