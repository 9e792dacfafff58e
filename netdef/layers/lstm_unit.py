"""LSTMUnit: one step of an LSTM, once its gates are summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdef.diag import BottomError
from netdef.kernels import lstm
from netdef.layers import base
from netdef.layers.axes import show


@base.layer("LSTMUnit")
@dataclass(frozen=True, slots=True)
class LSTMUnit(base.Layer[lstm.Step]):
    """Update the cells of an LSTM by one time step; the weights are other layers'.

    Formula:
        x = (i', f', o', g'); i, f, o = sigmoid(i', f', o'); g = tanh(g')
        c = cont * f * c_prev + i * g
        h = o * tanh(c)
    Bottoms:
        c_prev: (1, n, d) cells before
        x: (1, n, 4 d) sums of the gates: input, forget, output, candidate
        cont: (1, n) 0 where a sequence begins, 1 where it goes on
    Tops:
        c: (1, n, d) cells after
        h: (1, n, d) outputs
    Cost:
        5 tanh and 20 flops a cell
    Source:
        caffe/src/caffe/layers/lstm_unit_layer.cpp

    The gradient by the forget gate is Caffe's, which is exact where cont is 0 or 1.

    Example:
        >>> LSTMUnit().shapes(((1, 2, 3), (1, 2, 12), (1, 2)))
        ((1, 2, 3), (1, 2, 3))
    """

    bottom_count = (3, 3)
    top_count = (2, 2)
    no_gradient = (2,)
    reads_tops = False

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Twice the first bottom's.

        Raises:
            BottomError: a bottom has not the axes it needs, or they do not fit the first.
        """
        c_prev, x, cont = bottoms
        for index, shape in enumerate((c_prev, x)):
            if len(shape) != 3 or shape[0] != 1:
                size = "4 × cells" if index else "cells"
                raise BottomError(
                    index,
                    f"is {show(shape)}, needs 3 axes: 1 time step, streams, {size}",
                    "an LSTM layer runs many steps",
                )
        _, n, d = c_prev
        for index, shape, right, what in (
            (1, x, (1, n, 4 * d), f"4 gates for each of {d} cells"),
            (2, cont, (1, n), f"a mark for each of {n} streams"),
        ):
            if shape != right:
                raise BottomError(index, f"is {show(shape)}, needs to be {show(right)}: {what}")
        return (c_prev, c_prev)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Gates and tanh(c), which backward reads again."""
        cells, gates = site.bottoms[0][1:], site.bottoms[1][1:]
        needs = {
            "gates": base.Buffer(gates, saved=site.backward),
            "shown": base.Buffer(cells, saved=site.backward),
            "work": base.Buffer(cells),
        }
        if site.backward:
            needs |= {
                "slopes": base.Buffer(gates),
                "bend": base.Buffer(cells),
                "dc": base.Buffer(cells),
            }
        return needs

    def prepare(self, run: base.Forward[lstm.Step]) -> lstm.Step:
        """See the arrays as those of one step."""
        return lstm.Step(
            lstm.gates_of(run.buffer("gates")),
            run.bottom(2)[0][:, None],
            run.bottom(0)[0],
            run.top(0)[0],
            run.buffer("shown"),
            run.top(1)[0],
        )

    def forward(self, run: base.Forward[lstm.Step]) -> None:
        """One step."""
        np.copyto(run.buffer("gates"), run.bottom(1)[0])
        lstm.forward(run.work, run.buffer("work"))

    def backward(self, run: base.Backward[lstm.Step]) -> None:
        """One step back."""
        step, dc, bend = run.work, run.buffer("dc"), run.buffer("bend")
        slopes = lstm.gates_of(run.buffer("slopes"))
        lstm.slopes(step.gates, slopes)
        lstm.tanh_slope(step.shown, bend)
        np.copyto(dc, run.top_diff(0)[0])
        lstm.backward(step, slopes, bend, run.top_diff(1)[0], dc, run.buffer("work"))
        for index, found in enumerate((dc, slopes.whole)):
            if (dx := run.bottom_diff(index)) is not None:
                np.copyto(dx[0], found)
