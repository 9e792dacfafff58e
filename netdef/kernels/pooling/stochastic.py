"""One value of each window drawn in proportion to its size, or their mean in that proportion.

Source: Zeiler and Fergus, Stochastic Pooling for Regularization of Deep Convolutional Neural
Networks, 2013. Values are taken not to be negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from netdef.kernels.pooling.window import Array, Axis, Need, Pool, Window

TINY = float(np.finfo(np.float32).tiny)
"""Keeps the mean of a window of zeros at 0."""


class _Stochastic(Pool):
    """What drawing and averaging have in common: a walk over the taps in reading order."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._tall, self._wide = Axis(window, 0), Axis(window, 1)

    def _walk(self) -> Iterator[tuple[int, tuple[slice, ...], tuple[slice, ...]]]:
        """Number of each tap, where it lies on the input, and for which outputs."""
        tall, wide = self._tall, self._wide
        for i in range(self.window.kernel[0]):
            for j in range(self.window.kernel[1]):
                if tall.covers[i] and wide.covers[j]:
                    inputs = (*tall.inputs[i], wide.inputs[j][-1])
                    outputs = (*tall.outputs[i], wide.outputs[j][-1])
                    yield i * self.window.kernel[1] + j, inputs, outputs

    def _sum(self, x: Array, total: Array) -> None:
        for _, inputs, outputs in self._walk():
            np.add(total[outputs], x[inputs], out=total[outputs])


class DrawnPool(_Stochastic):
    """For training: remembers for backward which tap was drawn."""

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """Random numbers, running sums, and the tap drawn."""
        top = self.window.top
        needs = {
            # single precision in every run, so that a gradient check draws the same
            "random": Need(top, np.float32),
            "goal": Need(top),
            "total": Need(top),
            "hit": Need(top, np.bool_),
            "drawn": Need(top, np.int32, saved=backward),
        }
        if backward:
            needs["share"] = Need(top)
        return needs

    def forward(self, x: Array, y: Array, random: np.random.Generator) -> None:
        """Draw the first tap at which the running sum reaches a random part of the whole."""
        total, goal, hit = (self._scratch[name] for name in ("total", "goal", "hit"))
        drawn, uniform = self._scratch["drawn"], self._scratch["random"]
        random.random(dtype=np.float32, out=uniform)
        goal.fill(0)
        self._sum(x, goal)
        np.multiply(goal, uniform, out=goal)
        total.fill(0)
        y.fill(0)
        drawn.fill(-1)
        for tap, inputs, outputs in self._walk():
            here, running = hit[outputs], total[outputs]
            np.add(running, x[inputs], out=running)
            np.greater_equal(running, goal[outputs], out=here)
            np.copyto(y[outputs], x[inputs], where=here)
            np.copyto(drawn[outputs], tap, where=here)
            # a goal out of reach: this output is settled
            np.copyto(goal[outputs], np.inf, where=here)
        np.copyto(y, np.nan, where=np.less(drawn, 0, out=hit))

    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """All of the gradient to the value that was drawn."""
        del x, y
        if not add:
            dx.fill(0)
        hit, share, drawn = (self._scratch[name] for name in ("hit", "share", "drawn"))
        for tap, inputs, outputs in self._walk():
            np.equal(drawn[outputs], tap, out=hit[outputs])
            np.multiply(dy[outputs], hit[outputs], out=share[outputs])
            np.add(dx[inputs], share[outputs], out=dx[inputs])


class WeightedPool(_Stochastic):
    """For testing: y = sum x² / sum x."""

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """Sums and products."""
        del backward
        return {"total": Need(self.window.top), "share": Need(self.window.top)}

    def forward(self, x: Array, y: Array) -> None:
        """Weigh every value by itself."""
        total, square = self._scratch["total"], self._scratch["share"]
        total.fill(TINY)
        self._sum(x, total)
        y.fill(0)
        for _, inputs, outputs in self._walk():
            np.multiply(x[inputs], x[inputs], out=square[outputs])
            np.add(y[outputs], square[outputs], out=y[outputs])
        np.divide(y, total, out=y)

    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Write dx = dy * (2 x - y) / sum x."""
        total, share = self._scratch["total"], self._scratch["share"]
        total.fill(TINY)
        self._sum(x, total)
        np.divide(dy, total, out=total)
        if not add:
            dx.fill(0)
        for _, inputs, outputs in self._walk():
            part = share[outputs]
            np.multiply(x[inputs], 2, out=part)
            np.subtract(part, y[outputs], out=part)
            np.multiply(part, total[outputs], out=part)
            np.add(dx[inputs], part, out=dx[inputs])
