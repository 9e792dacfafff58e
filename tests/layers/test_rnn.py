"""RNN against one step of one stream at a time."""

from __future__ import annotations

import numpy as np

from netdef.layers.rnn import RNN
from tests.layers.laws import Case, LayerLaws
from tests.layers.recurrence import starting_new


def run(x, cont, params, static=None, h=0.0):
    """Outputs and last states of streams, which never see each other.

    Args:
        x: (t, n, values).
        cont: (t, n).
        params: in Caffe's order.
        static: (n, values).
        h: hidden state before the first step, (n, d).
    """
    weight, bias, *rest = params
    recurrent, out_weight, out_bias = rest[-3:]
    h = np.broadcast_to(h, (x.shape[1], len(recurrent))).copy()
    outputs = np.zeros((*x.shape[:2], len(recurrent)))
    for n in range(x.shape[1]):
        for t in range(len(x)):
            sums = weight @ x[t, n].ravel() + bias + recurrent @ (cont[t, n] * h[n])
            if static is not None:
                sums = sums + rest[0] @ static[n].ravel()
            h[n] = np.tanh(sums)
            outputs[t, n] = np.tanh(out_weight @ h[n] + out_bias)
    return outputs, h


class TestRNN(LayerLaws):
    cases = [
        Case(RNN(4), ((5, 2, 3), (5, 2)), bottoms={1: starting_new}, name="plain"),
        Case(RNN(2), ((3, 4, 5, 6), (3, 4)), bottoms={1: starting_new}, name="x-of-two-axes"),
        Case(RNN(5), ((4, 1, 3), (4, 1)), bottoms={1: starting_new}, name="one-stream"),
        Case(RNN(1), ((4, 3, 2), (4, 3)), bottoms={1: starting_new}, name="one-value-hidden"),
        Case(RNN(4), ((5, 2, 3), (5, 2), (2, 7)), bottoms={1: starting_new}, name="static"),
        Case(
            RNN(3),
            ((5, 4, 2), (5, 4), (4, 3, 2)),
            bottoms={1: starting_new},
            name="static-of-two-axes",
        ),
        Case(
            RNN(4),
            ((5, 2, 3), (5, 2)),
            bottoms={1: np.zeros((5, 2))},
            batch_of_one=False,
            name="always-new",
        ),
    ]

    def reference(self, layer, bottoms, params):
        x, cont, *static = bottoms
        return run(x, cont, params, *static)[:1]
