"""LSTM: long short-term memory over the time steps of a batch of sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netdef.kernels import lstm as unit
from netdef.layers import base
from netdef.layers.recurrent import Recurrent, per_step, step_buffer


class Work(NamedTuple):
    """Views that every pass uses again, one of each for every step.

    Attributes:
        steps: what the unit reads and writes.
        conted: the output of the step before, cut by cont.
        slopes: of the gates; none where nothing runs backward.
    """

    steps: list[unit.Step]
    conted: list[base.Array]
    slopes: list[unit.Gates]


@base.layer("LSTM")
@dataclass(frozen=True, slots=True)
class LSTM(Recurrent[Work]):
    """Long short-term memory: gates decide what a cell forgets, takes in and shows.

    Formula:
        sums_t = W_xc x_t + b_c + W_hc (cont_t * h_(t-1)) (+ W_xc_static x_static)
        i, f, o, g = sigmoid, sigmoid, sigmoid, tanh of the four quarters of sums_t
        c_t = cont_t * f * c_(t-1) + i * g
        h_t = o * tanh(c_t)
    Bottoms:
        x: (t, n, ...) time steps first, then streams, which are sequences side by side
        cont: (t, n) 0 where a sequence begins, 1 where the one before goes on
        x_static: (n, ...) input that is the same at every step; may be left out
        h0, c0: (1, n, num_output) states before the first step, with expose_hidden
    Tops:
        h: (t, n, num_output)
        h_T, c_T: (1, n, num_output) states after the last step, with expose_hidden
    Params:
        weight: W_xc, (4 * num_output, values of x)
        bias: b_c, (4 * num_output,)
        static weight: W_xc_static, (4 * num_output, values of x_static), where that is there
        hidden weight: W_hc, (4 * num_output, num_output)
    Cost:
        4 * num_output * (values of x + num_output) MACs a step and stream: one product for all
        of x, one a step for h
    Source:
        caffe/src/caffe/layers/recurrent_layer.cpp, lstm_layer.cpp, lstm_unit_layer.cpp
    Differs from Caffe:
        Where cont is 0 at the first step the state left by the pass before counts as 0 even if
        it is NaN; Caffe multiplies it by 0. `debug_info` is accepted and prints nothing.

    Without expose_hidden the states after a pass are where the next one starts, and are zero at
    first; cont, not the end of a batch, ends a sequence. As in Caffe no gradient leaves the pass:
    those by h0 and c0 are zero, and those by h_T and c_T are not looked at.

    Example:
        >>> LSTM(num_output=1000).shapes(((20, 16, 500), (20, 16)))
        ((20, 16, 1000),)
    """

    states = ("h", "c")
    sums = 4
    bottom_count = (2, 5)
    top_count = (1, 3)
    reads_tops = False

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Gates and cells of every step, kept for backward."""
        sizes, d = self._sizes(site.bottoms), self.num_output
        t, n = sizes.steps, sizes.streams
        needs = self._common_buffers(site) | {
            "gates": base.Buffer((t, n, 4 * d), saved=site.backward),
            "conted": step_buffer((t, n, d), site),
            "cells": step_buffer((t + 1, n, d), site),
            "shown": step_buffer((t, n, d), site),
            "before": base.Buffer((n, d)),
            "sums": base.Buffer((n, 4 * d)),
            "work": base.Buffer((n, d)),
        }
        if site.backward:
            needs |= {
                "slopes": base.Buffer((t, n, 4 * d)),
                "bend": base.Buffer((t, n, d)),
                "dh": base.Buffer((n, d)),
                "carried": base.Buffer((n, d)),
                "dc": base.Buffer((n, d)),
            }
        return needs

    def prepare(self, run: base.Forward[Work]) -> Work:
        """Look at each step's part of every array."""
        steps = self._sizes(run.site.bottoms).steps
        cells = per_step(run.buffer("cells"), steps + 1)
        found = [
            unit.Step(unit.gates_of(gates), cont[:, None], before, after, shown, h)
            for gates, cont, before, after, shown, h in zip(
                run.buffer("gates"),
                run.bottom(1),
                cells[:-1],
                cells[1:],
                per_step(run.buffer("shown"), steps),
                run.top(0),
                strict=True,
            )
        ]
        slopes = map(unit.gates_of, run.buffer("slopes")) if run.site.backward else ()
        return Work(found, per_step(run.buffer("conted"), steps), list(slopes))

    def forward(self, run: base.Forward[Work]) -> None:
        """Weigh all of x, then step by step the hidden state."""
        steps, conteds, _ = run.work
        self._weigh_inputs(run, run.buffer("gates"))
        before, sums, work = run.buffer("before"), run.buffer("sums"), run.buffer("work")
        self._begin(run, (before, steps[0].before))
        turned = run.param(self._hidden_weight(run)).T
        for step, conted in zip(steps, conteds, strict=True):
            np.multiply(before, step.cont, out=conted)
            np.matmul(conted, turned, out=sums)
            np.add(step.gates.whole, sums, out=step.gates.whole)
            unit.forward(step, work)
            before = step.hidden
        self._end(run, (before, steps[-1].cell))

    def backward(self, run: base.Backward[Work]) -> None:
        """Through time, then all weights at once."""
        steps, _, slopes = run.work
        dh, carried, dc = run.buffer("dh"), run.buffer("carried"), run.buffer("dc")
        bend, work, dy = run.buffer("bend"), run.buffer("work"), run.top_diff(0)
        unit.slopes(unit.gates_of(run.buffer("gates")), unit.gates_of(run.buffer("slopes")))
        unit.tanh_slope(run.buffer("shown"), bend)
        carried.fill(0)
        dc.fill(0)
        weight = run.param(self._hidden_weight(run))
        for t in reversed(range(len(steps))):
            np.add(dy[t], carried, out=dh)
            unit.backward(steps[t], slopes[t], bend[t], dh, dc, work)
            np.matmul(slopes[t].whole, weight, out=carried)
            np.multiply(carried, steps[t].cont, out=carried)
        self._gradients(run, run.buffer("slopes"), run.buffer("conted"))
