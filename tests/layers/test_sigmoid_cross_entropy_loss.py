"""SigmoidCrossEntropyLoss against logarithms of sigmoids."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.kernels.blocks import BLOCK
from netdef.layers.base import NCHW, Phase
from netdef.layers.sigmoid_cross_entropy_loss import SigmoidCrossEntropyLoss
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def targets(random, shape):
    return random.integers(0, 3, shape) / 2


class TestSigmoidCrossEntropyLoss(LayerLaws):
    cases = [
        Case(SigmoidCrossEntropyLoss(), ((4, 3), (4, 3)), bottoms={1: targets}),
        Case(SigmoidCrossEntropyLoss(), ((2, 3, 5), (2, 15)), bottoms={1: targets}),
        Case(SigmoidCrossEntropyLoss(), ((2, BLOCK + 3),) * 2, bottoms={1: targets}, name="blocks"),
        *(
            Case(SigmoidCrossEntropyLoss(1, mode), ((4, 7), (4, 7)), bottoms={1: targets})
            for mode in ("FULL", "VALID", "BATCH_SIZE", "NONE")
        ),
    ]

    def reference(self, layer, bottoms, params):
        x, t = bottoms[0], bottoms[1].reshape(bottoms[0].shape)
        y = 1 / (1 + np.exp(-x))
        losses = -(t * np.log(y) + (1 - t) * np.log(1 - y))
        counts = np.trunc(t) != layer.ignore_label if layer.ignore_label is not None else t == t
        divisors = {"FULL": x.size, "VALID": counts.sum(), "BATCH_SIZE": x.shape[0], "NONE": 1}
        return (losses[counts].sum() / max(1, divisors[layer.normalization]),)


def run(layer, x, t):
    x, t = np.asarray(x, float), np.asarray(t)
    stand = Stand(Case(layer, (x.shape, t.shape), bottoms={0: x, 1: t}), NCHW)
    (loss,) = stand.forward()
    (dx, _), _ = stand.backward([np.array(1.0)])
    return loss, dx


def test_far_scores_neither_overflow_nor_vanish():
    loss, dx = run(SigmoidCrossEntropyLoss(), [[1000, -1000]], [[0, 1]])
    assert loss == 2000
    np.testing.assert_array_equal(dx, [[1, -1]])


def test_the_default_divisor_is_the_batch_unlike_that_of_softmax():
    loss, _ = run(SigmoidCrossEntropyLoss(), np.zeros((2, 5)), np.ones((2, 5)))
    np.testing.assert_allclose(loss, 5 * np.log(2), rtol=1e-6)
    assert SigmoidCrossEntropyLoss.read(LayerParameter(), Phase.TRAIN).normalization == "BATCH_SIZE"


def test_all_ignored_costs_nothing():
    layer = SigmoidCrossEntropyLoss(-1, "VALID")
    loss, dx = run(layer, np.ones((2, 3)), -np.ones((2, 3)))
    assert loss == 0
    assert not dx.any()


def test_read():
    message = LayerParameter(loss_param={"ignore_label": -1, "normalize": True})
    assert SigmoidCrossEntropyLoss.read(message, Phase.TRAIN) == SigmoidCrossEntropyLoss(
        -1, "VALID"
    )


def test_targets_must_be_as_many_as_scores():
    with pytest.raises(BottomError, match="2 targets for 6 scores") as caught:
        SigmoidCrossEntropyLoss().shapes(((2, 3), (2,)))
    assert caught.value.bottom == 1
