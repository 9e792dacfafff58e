"""RNN: a plain recurrent network over the time steps of a batch of sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netdef.kernels.lstm import tanh_slope
from netdef.layers import base
from netdef.layers.recurrent import Recurrent, merged, per_step, step_buffer


class Work(NamedTuple):
    """Views that every pass uses again, one of each for every step.

    Attributes:
        conts: (n, 1) marks.
        conted: the hidden state before, cut by cont.
        hidden: the hidden state after.
    """

    conts: list[base.Array]
    conted: list[base.Array]
    hidden: list[base.Array]


@base.layer("RNN")
@dataclass(frozen=True, slots=True)
class RNN(Recurrent[Work]):
    """A recurrent network with one hidden layer: the simplest memory.

    Formula:
        h_t = tanh(W_xh x_t + b_h + W_hh (cont_t * h_(t-1)) (+ W_xh_static x_static))
        o_t = tanh(W_ho h_t + b_o)
    Bottoms:
        x: (t, n, ...) time steps first, then streams, which are sequences side by side
        cont: (t, n) 0 where a sequence begins, 1 where the one before goes on
        x_static: (n, ...) input that is the same at every step; may be left out
        h0: (1, n, num_output) state before the first step, with expose_hidden
    Tops:
        o: (t, n, num_output)
        h_T: (1, n, num_output) state after the last step, with expose_hidden
    Params:
        weight: W_xh, (num_output, values of x)
        bias: b_h, (num_output,)
        static weight: W_xh_static, (num_output, values of x_static), where that is there
        hidden weight: W_hh, (num_output, num_output)
        output weight: W_ho, (num_output, num_output)
        output bias: b_o, (num_output,)
    Cost:
        num_output * (values of x + 2 * num_output) MACs a step and stream: one product for all
        of x, one for all of o, one a step for h
    Source:
        caffe/src/caffe/layers/recurrent_layer.cpp, rnn_layer.cpp
    Differs from Caffe:
        Where cont is 0 at the first step the state left by the pass before counts as 0 even if
        it is NaN; Caffe multiplies it by 0. `debug_info` is accepted and prints nothing.

    Without expose_hidden the state after a pass is where the next one starts, and is zero at
    first; cont, not the end of a batch, ends a sequence. As in Caffe no gradient leaves the pass:
    that by h0 is zero, and that by h_T is not looked at.

    Example:
        >>> RNN(num_output=7).shapes(((5, 2, 3), (5, 2)))
        ((5, 2, 7),)
    """

    states = ("h",)
    bottom_count = (2, 4)
    top_count = (1, 2)

    def _output_params(self) -> list[tuple[str, base.Shape]]:
        return [
            ("output weight", (self.num_output, self.num_output)),
            ("output bias", (self.num_output,)),
        ]

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The hidden state of every step."""
        sizes, d = self._sizes(site.bottoms), self.num_output
        t, n = sizes.steps, sizes.streams
        needs = self._common_buffers(site) | {
            "hidden": base.Buffer((t, n, d), saved=site.backward),
            "conted": step_buffer((t, n, d), site),
            "before": base.Buffer((n, d)),
            "sums": base.Buffer((n, d)),
        }
        if site.backward:
            needs |= {
                "slopes": base.Buffer((t, n, d)),
                "dsums": base.Buffer((t, n, d)),
                "carried": base.Buffer((n, d)),
            }
        return needs

    def prepare(self, run: base.Forward[Work]) -> Work:
        """Look at each step's part of every array."""
        steps = self._sizes(run.site.bottoms).steps
        return Work(
            [cont[:, None] for cont in run.bottom(1)],
            per_step(run.buffer("conted"), steps),
            list(run.buffer("hidden")),
        )

    def forward(self, run: base.Forward[Work]) -> None:
        """Weigh all of x, step by step the hidden state, then all outputs."""
        all_hidden, before, sums = run.buffer("hidden"), run.buffer("before"), run.buffer("sums")
        self._weigh_inputs(run, all_hidden)
        self._begin(run, (before,))
        index = self._hidden_weight(run)
        turned = run.param(index).T
        for cont, conted, hidden in zip(*run.work, strict=True):
            np.multiply(before, cont, out=conted)
            np.matmul(conted, turned, out=sums)
            np.add(hidden, sums, out=hidden)
            np.tanh(hidden, out=hidden)
            before = hidden
        self._end(run, (before,))
        y = merged(run.top(0))
        np.matmul(merged(all_hidden), run.param(index + 1).T, out=y)
        np.add(y, run.param(index + 2), out=y)
        np.tanh(y, out=y)

    def backward(self, run: base.Backward[Work]) -> None:
        """Through the outputs, through time, then all weights at once."""
        index, all_hidden = self._hidden_weight(run), run.buffer("hidden")
        slopes, dsums, carried = run.buffer("slopes"), run.buffer("dsums"), run.buffer("carried")
        tanh_slope(run.top(0), slopes)
        np.multiply(slopes, run.top_diff(0), out=slopes)
        doutputs = merged(slopes)
        if (dw := run.param_diff(index + 1)) is not None:
            np.matmul(doutputs.T, merged(all_hidden), out=dw)
        if (db := run.param_diff(index + 2)) is not None:
            np.add.reduce(doutputs, axis=0, out=db)
        np.matmul(doutputs, run.param(index + 1), out=merged(dsums))
        tanh_slope(all_hidden, slopes)
        carried.fill(0)
        conts, weight = run.work.conts, run.param(index)
        for t in reversed(range(len(conts))):
            dsum = dsums[t]
            np.add(dsum, carried, out=dsum)
            np.multiply(dsum, slopes[t], out=dsum)
            np.matmul(dsum, weight, out=carried)
            np.multiply(carried, conts[t], out=carried)
        self._gradients(run, dsums, run.buffer("conted"))
