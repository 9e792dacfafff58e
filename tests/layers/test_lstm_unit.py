"""LSTMUnit against one cell at a time."""

from __future__ import annotations

from math import exp, tanh

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import NCHW
from netdef.layers.lstm_unit import LSTMUnit
from tests.layers.laws import Case, LayerLaws, Stand


def sigmoid(x):
    return 1 / (1 + exp(-x))


def marks(generator, shape):
    return generator.integers(0, 2, shape)


class TestLSTMUnit(LayerLaws):
    cases = [
        Case(LSTMUnit(), ((1, 2, 3), (1, 2, 12), (1, 2)), bottoms={2: marks}, name="mixed"),
        Case(LSTMUnit(), ((1, 5, 1), (1, 5, 4), (1, 5)), bottoms={2: marks}, name="one-cell"),
        Case(LSTMUnit(), ((1, 1, 3), (1, 1, 12), (1, 1)), bottoms={2: np.ones((1, 1))}, name="on"),
        Case(
            LSTMUnit(), ((1, 2, 3), (1, 2, 12), (1, 2)), bottoms={2: np.zeros((1, 2))}, name="new"
        ),
    ]

    def reference(self, layer, bottoms, params):
        before, sums, cont = bottoms
        c, h = np.zeros(before.shape), np.zeros(before.shape)
        size = before.shape[2]
        for n in range(before.shape[1]):
            for d in range(size):
                i, f, o = (sigmoid(sums[0, n, k * size + d]) for k in range(3))
                g = tanh(sums[0, n, 3 * size + d])
                c[0, n, d] = cont[0, n] * f * before[0, n, d] + i * g
                h[0, n, d] = o * tanh(c[0, n, d])
        return (c, h)


def test_gates_that_are_shut_or_open_for_good():
    """Sums so large that exp would overflow."""
    sums = np.array([[[1e4, -1e4, 1e4, 1e4]]])
    case = Case(LSTMUnit(), ((1, 1, 1), (1, 1, 4), (1, 1)))
    c, h = Stand(case, NCHW, bottoms=[np.full((1, 1, 1), 5.0), sums, np.ones((1, 1))]).forward()
    assert c.item() == 1
    assert h.item() == pytest.approx(tanh(1))


@pytest.mark.parametrize(
    ("shapes", "bottom"),
    [
        (((2, 3), (1, 2, 12), (1, 2)), 0),
        (((2, 5, 3), (1, 5, 12), (1, 5)), 0),
        (((1, 2, 3), (2, 12), (1, 2)), 1),
        (((1, 2, 3), (1, 2, 9), (1, 2)), 1),
        (((1, 2, 3), (1, 4, 12), (1, 2)), 1),
        (((1, 2, 3), (1, 2, 12), (2,)), 2),
        (((1, 2, 3), (1, 2, 12), (1, 3)), 2),
    ],
)
def test_refuses_shapes(shapes, bottom):
    with pytest.raises(BottomError) as caught:
        LSTMUnit().shapes(shapes)
    assert caught.value.bottom == bottom
