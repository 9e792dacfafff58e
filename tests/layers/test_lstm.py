"""LSTM against one step of one stream at a time."""

from __future__ import annotations

import numpy as np

from netdef.layers.lstm import LSTM
from tests.layers.laws import Case, LayerLaws
from tests.layers.recurrence import starting_new


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def run(x, cont, params, static=None, h=0.0, c=0.0):
    """Outputs and last states of streams, which never see each other.

    Args:
        x: (t, n, values).
        cont: (t, n).
        params: in Caffe's order.
        static: (n, values).
        h: output before the first step, (n, d).
        c: cells before the first step, (n, d).
    """
    weight, bias, *rest = params
    recurrent, size = rest[-1], rest[-1].shape[1]
    h, c = (np.broadcast_to(s, (x.shape[1], size)).copy() for s in (h, c))
    outputs = np.zeros((*x.shape[:2], size))
    for n in range(x.shape[1]):
        for t in range(len(x)):
            sums = weight @ x[t, n].ravel() + bias + recurrent @ (cont[t, n] * h[n])
            if static is not None:
                sums = sums + rest[0] @ static[n].ravel()
            i, f, o = (sigmoid(sums[k * size : (k + 1) * size]) for k in range(3))
            c[n] = cont[t, n] * f * c[n] + i * np.tanh(sums[3 * size :])
            h[n] = outputs[t, n] = o * np.tanh(c[n])
    return outputs, h, c


class TestLSTM(LayerLaws):
    cases = [
        Case(LSTM(4), ((5, 2, 3), (5, 2)), bottoms={1: starting_new}, name="plain"),
        Case(LSTM(2), ((3, 4, 5, 6), (3, 4)), bottoms={1: starting_new}, name="x-of-two-axes"),
        Case(LSTM(5), ((4, 1, 3), (4, 1)), bottoms={1: starting_new}, name="one-stream"),
        Case(LSTM(1), ((4, 3, 2), (4, 3)), bottoms={1: starting_new}, name="one-cell"),
        Case(LSTM(3), ((6, 5, 1), (6, 5)), bottoms={1: starting_new}, name="one-value"),
        Case(LSTM(4), ((5, 2, 3), (5, 2), (2, 7)), bottoms={1: starting_new}, name="static"),
        Case(
            LSTM(3),
            ((5, 4, 2), (5, 4), (4, 3, 2)),
            bottoms={1: starting_new},
            name="static-of-two-axes",
        ),
        Case(
            LSTM(4),
            ((5, 2, 3), (5, 2)),
            bottoms={1: np.zeros((5, 2))},
            batch_of_one=False,
            name="always-new",
        ),
    ]

    def reference(self, layer, bottoms, params):
        x, cont, *static = bottoms
        return run(x, cont, params, *static)[:1]
