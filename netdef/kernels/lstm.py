"""The long short-term memory unit: one step of all streams, forward and backward.

Source: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; with the forget gate of Gers,
Schmidhuber and Cummins, 2000. The order of gates is Caffe's: input, forget, output, candidate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Gates(NamedTuple):
    """The gates of a step, (n, 4 d), and views of them.

    Attributes:
        whole: all of them.
        sigmoids: those between 0 and 1, (n, 3 d).
        i: how much of the candidate goes into the cell.
        f: how much of the cell before is kept; the cont mark is part of it.
        o: how much of the cell shows.
        g: the candidate, between -1 and 1.
    """

    whole: Array
    sigmoids: Array
    i: Array
    f: Array
    o: Array
    g: Array


class Step(NamedTuple):
    """What a step reads and writes.

    Attributes:
        gates: sums of the weighted inputs; forward leaves what the gates make of them.
        cont: (n, 1); 0 where a sequence begins, 1 where it goes on.
        before: the cell before, (n, d).
        cell: the cell after; forward may write it over the one before.
        shown: tanh(cell).
        hidden: the output, (n, d).
    """

    gates: Gates
    cont: Array
    before: Array
    cell: Array
    shown: Array
    hidden: Array


def gates_of(whole: Array) -> Gates:
    """Look at an array of (..., 4 d) as gates."""
    d = whole.shape[-1] // 4
    i, f, o, g = (whole[..., k * d : (k + 1) * d] for k in range(4))
    return Gates(whole, whole[..., : 3 * d], i, f, o, g)


def forward(step: Step, work: Array) -> None:
    """Run one step.

    Args:
        step: its arrays.
        work: scratch, (n, d).
    """
    gates = step.gates
    # 1 / (1 + exp(-x)) = 0.5 * tanh(0.5 * x) + 0.5: one tanh for all four
    np.multiply(gates.sigmoids, 0.5, out=gates.sigmoids)
    np.tanh(gates.whole, out=gates.whole)
    np.multiply(gates.sigmoids, 0.5, out=gates.sigmoids)
    np.add(gates.sigmoids, 0.5, out=gates.sigmoids)
    np.multiply(gates.f, step.cont, out=gates.f)
    np.multiply(gates.i, gates.g, out=work)
    np.multiply(gates.f, step.before, out=step.cell)
    np.add(step.cell, work, out=step.cell)
    np.tanh(step.cell, out=step.shown)
    np.multiply(gates.o, step.shown, out=step.hidden)


def slopes(gates: Gates, out: Gates) -> None:
    """Derivatives of the gates by their sums, of any number of steps at once.

    Args:
        gates: as `forward` left them.
        out: as gates; y * (1 - y) for the first three, 1 - y² for the candidate.
    """
    np.subtract(1, gates.sigmoids, out=out.sigmoids)
    np.multiply(out.sigmoids, gates.sigmoids, out=out.sigmoids)
    tanh_slope(gates.g, out.g)


def tanh_slope(y: Array, out: Array) -> None:
    """Derivative of tanh where it is y: 1 - y²."""
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)


def backward(step: Step, slope: Gates, bend: Array, dh: Array, dc: Array, work: Array) -> None:
    """Turn the gradients by a step's results into those by what it read.

    Args:
        step: its arrays, as `forward` left them.
        slope: of the gates, as `slopes` gave them; the gradients by their sums are left here.
        bend: slope of tanh at the cell.
        dh: gradient by the output, read only.
        dc: gradient by the cell after; that by the cell before is left here.
        work: scratch, (n, d).
    """
    gates = step.gates
    np.multiply(dh, step.shown, out=work)
    np.multiply(slope.o, work, out=slope.o)
    np.multiply(dh, gates.o, out=work)
    np.multiply(work, bend, out=work)
    np.add(dc, work, out=dc)
    for other, gradient in ((gates.g, slope.i), (step.before, slope.f), (gates.i, slope.g)):
        np.multiply(dc, other, out=work)
        np.multiply(gradient, work, out=gradient)
    np.multiply(dc, gates.f, out=dc)
