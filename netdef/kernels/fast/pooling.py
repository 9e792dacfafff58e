"""Pooling: the largest value and the mean, row by row.

A row of the input is copied with its padding so that the columns which a tap meets follow each
other, whatever the stride: then every loop is one of long runs, in first-level cache.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.fast.jit import compiled
from netdef.kernels.fast.pooling_flat import FlatAveragePool, FlatMaximumPool
from netdef.kernels.fast.pooling_flat import fits as fits_flat
from netdef.kernels.fast.rows import columns_of, put_row, take_row
from netdef.kernels.pooling.average import AveragePool
from netdef.kernels.pooling.maximum import LOWEST, MaximumPool
from netdef.kernels.pooling.window import Array, Need, Window

_NONE = 255
"""Stands for no tap, in a window of NaN; taps must be told apart from it in a byte."""

_FEWEST = 4
"""Images from which on it pays to copy them side by side."""

Pair = tuple[int, int]


def choose_fast(window: Window, *, backward: bool) -> tuple[type[MaximumPool], type[AveragePool]]:
    """The ways to find maxima and means; NumPy's where there is nothing to win.

    Args:
        window: of one shard.
        backward: whether gradients will be wanted.
    """
    if window.is_whole or 0 in window.top:
        return MaximumPool, AveragePool
    few = window.batch < _FEWEST
    if fits_flat(window) and (few or not backward):
        return FlatMaximumPool, FlatAveragePool
    if few:
        return MaximumPool, AveragePool
    told = window.kernel[0] * window.kernel[1] < _NONE
    return (FastMaximumPool if told else MaximumPool), FastAveragePool


class FastMaximumPool(MaximumPool):
    """Remembers for backward which tap was the largest, in a byte for each output."""

    name = "compiled"

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """The taps; forward alone nothing."""
        return {"taken": Need(self.window.top, np.uint8, saved=True)} if backward else {}

    def forward(self, x: Array, y: Array) -> None:
        """Compare tap by tap."""
        w = self.window
        sizes = w.kernel, w.stride, w.pad
        lowest = x.dtype.type(LOWEST)
        if "taken" in self._scratch:
            _largest(x, y, self._scratch["taken"], *sizes, lowest)
        else:
            _maximum(x, y, *sizes, lowest)

    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Each output's gradient goes where it came from."""
        del x, y
        w = self.window
        _give_back(dy, self._scratch["taken"], dx, w.kernel, w.stride, w.pad, add)


class FastAveragePool(AveragePool):
    """Adds tap by tap, and nothing in between."""

    name = "compiled"

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """Nothing."""
        del backward
        return {}

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Count the values of each window."""
        super().bind(scratch, dtype)
        each = self._factors[..., 0] if self._factors.ndim else self._factors
        self._each = np.ascontiguousarray(np.broadcast_to(each, self.window.out))

    def forward(self, x: Array, y: Array) -> None:
        """Sum, then divide."""
        w = self.window
        _mean(x, y, self._each, w.kernel, w.stride, w.pad)

    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Divide, then give every value of a window the same."""
        del x, y
        w = self.window
        _spread(dy, dx, self._each, w.kernel, w.stride, w.pad, add)


@compiled
def _widest(parts: Array, taps: int, batch: int, values: Array, first: Array) -> None:
    """The largest value of each window along a row, and its first tap; -1 for none."""
    stride = parts.shape[0]
    for j in range(taps):
        start = j // stride * batch
        source = parts[j % stride, start : start + values.size]
        for n in range(source.size):
            new, old, tap = source[n], values[n], first[n]
            more = new > old
            first[n] = np.int32(j) if more else tap
            values[n] = new if more else old


@compiled
def _largest(
    x: Array, y: Array, taken: Array, kernel: Pair, stride: Pair, pad: Pair, lowest: float
) -> None:
    channels, height, _, batch = x.shape
    tall, run = y.shape[1], y.shape[2] * batch
    length = run + (kernel[1] - 1) // stride[1] * batch
    columns = columns_of(x.shape[2], stride[1], pad[1], length // batch)
    parts = np.full((stride[1], length), lowest, x.dtype)
    values = np.empty((kernel[0], run), x.dtype)
    firsts = np.empty((kernel[0], run), np.int32)
    taps = np.empty(run, np.int32)
    for c in range(channels):
        known = 0
        for h in range(tall):
            top = h * stride[0] - pad[0]
            for r in range(max(top, known), min(top + kernel[0], height)):
                take_row(x[c, r], columns, parts.reshape(-1), length)
                slot = r % kernel[0]
                values[slot] = lowest
                firsts[slot] = np.int32(-1)
                _widest(parts, kernel[1], batch, values[slot], firsts[slot])
                known = r + 1
            ys = y[c, h].reshape(-1)
            for n in range(ys.size):
                ys[n] = lowest
                taps[n] = np.int32(255)
            for i in range(max(0, -top), min(kernel[0], height - top)):
                slot = (top + i) % kernel[0]
                vs, fs, before = values[slot], firsts[slot], np.int32(i * kernel[1])
                for n in range(vs.size):
                    new, old, tap, other = vs[n], ys[n], taps[n], before + fs[n]
                    more = new > old
                    taps[n] = other if more else tap
                    ys[n] = new if more else old
            ts = taken[c, h].reshape(-1)
            for n in range(taps.size):
                ts[n] = np.uint8(taps[n])


@compiled
def _maximum(x: Array, y: Array, kernel: Pair, stride: Pair, pad: Pair, lowest: float) -> None:
    channels, height, _, batch = x.shape
    tall, run = y.shape[1], y.shape[2] * batch
    length = run + (kernel[1] - 1) // stride[1] * batch
    columns = columns_of(x.shape[2], stride[1], pad[1], length // batch)
    parts = np.full((stride[1], length), lowest, x.dtype)
    values = np.empty((kernel[0], run), x.dtype)
    for c in range(channels):
        known = 0
        for h in range(tall):
            top = h * stride[0] - pad[0]
            for r in range(max(top, known), min(top + kernel[0], height)):
                take_row(x[c, r], columns, parts.reshape(-1), length)
                vs = values[r % kernel[0]]
                vs[:] = lowest
                for j in range(kernel[1]):
                    start = j // stride[1] * batch
                    source = parts[j % stride[1], start : start + vs.size]
                    for n in range(source.size):
                        new, old = source[n], vs[n]
                        vs[n] = new if new > old else old
                known = r + 1
            ys = y[c, h].reshape(-1)
            ys[:] = lowest
            for i in range(max(0, -top), min(kernel[0], height - top)):
                vs = values[(top + i) % kernel[0]]
                for n in range(vs.size):
                    new, old = vs[n], ys[n]
                    ys[n] = new if new > old else old


@compiled
def _give_back(
    dy: Array, taken: Array, dx: Array, kernel: Pair, stride: Pair, pad: Pair, add: bool
) -> None:
    channels, height, _, batch = dx.shape
    tall, run = dy.shape[1], dy.shape[2] * batch
    none = dx.dtype.type(0)
    length = run + (kernel[1] - 1) // stride[1] * batch
    columns = columns_of(dx.shape[2], stride[1], pad[1], length // batch)
    sums = np.zeros((kernel[0], stride[1], length), dx.dtype)
    taps = np.empty(run, np.int32)
    for c in range(channels):
        done = 0
        for h in range(tall):
            top = h * stride[0] - pad[0]
            while done < min(top, height):
                slot = done % kernel[0]
                put_row(sums[slot].reshape(-1), length, columns, dx[c, done], add)
                sums[slot] = none
                done += 1
            ds, ts = dy[c, h].reshape(-1), taken[c, h].reshape(-1)
            for n in range(taps.size):
                taps[n] = np.int32(ts[n])
            for i in range(max(0, -top), min(kernel[0], height - top)):
                slot = (top + i) % kernel[0]
                for j in range(kernel[1]):
                    tap, start = np.int32(i * kernel[1] + j), j // stride[1] * batch
                    part = sums[slot, j % stride[1], start : start + run]
                    for n in range(part.size):
                        share, place = ds[n], taps[n]
                        part[n] += share if place == tap else none
        while done < height:
            slot = done % kernel[0]
            put_row(sums[slot].reshape(-1), length, columns, dx[c, done], add)
            sums[slot] = none
            done += 1


@compiled
def _mean(x: Array, y: Array, factors: Array, kernel: Pair, stride: Pair, pad: Pair) -> None:
    channels, height, _, batch = x.shape
    tall, wide, run = y.shape[1], y.shape[2], y.shape[2] * batch
    none = x.dtype.type(0)
    length = run + (kernel[1] - 1) // stride[1] * batch
    columns = columns_of(x.shape[2], stride[1], pad[1], length // batch)
    parts = np.zeros((stride[1], length), x.dtype)
    sums = np.empty((kernel[0], run), x.dtype)
    each = np.empty(run, x.dtype)
    for c in range(channels):
        known = 0
        for h in range(tall):
            top = h * stride[0] - pad[0]
            for r in range(max(top, known), min(top + kernel[0], height)):
                take_row(x[c, r], columns, parts.reshape(-1), length)
                ss = sums[r % kernel[0]]
                ss[:] = none
                for j in range(kernel[1]):
                    start = j // stride[1] * batch
                    source = parts[j % stride[1], start : start + run]
                    for n in range(source.size):
                        ss[n] += source[n]
                known = r + 1
            each[:] = none
            for i in range(max(0, -top), min(kernel[0], height - top)):
                ss = sums[(top + i) % kernel[0]]
                for n in range(ss.size):
                    each[n] += ss[n]
            for w in range(wide):
                ys, es, factor = y[c, h, w], each[w * batch : (w + 1) * batch], factors[h, w]
                for n in range(es.size):
                    ys[n] = es[n] * factor


@compiled
def _spread(
    dy: Array, dx: Array, factors: Array, kernel: Pair, stride: Pair, pad: Pair, add: bool
) -> None:
    channels, height, _, batch = dx.shape
    tall, wide, run = dy.shape[1], dy.shape[2], dy.shape[2] * batch
    none = dx.dtype.type(0)
    length = run + (kernel[1] - 1) // stride[1] * batch
    columns = columns_of(dx.shape[2], stride[1], pad[1], length // batch)
    parts = np.empty((stride[1], length), dx.dtype)
    # shares of the rows that windows still reach
    shares = np.zeros((kernel[0], run), dx.dtype)
    each = np.empty(run, dx.dtype)
    for c in range(channels):
        done = 0
        for h in range(tall + 1):
            top = h * stride[0] - pad[0] if h < tall else height
            while done < min(top, height):
                slot = done % kernel[0]
                parts[:] = none
                ss = shares[slot]
                for j in range(kernel[1]):
                    start = j // stride[1] * batch
                    part = parts[j % stride[1], start : start + run]
                    for n in range(ss.size):
                        part[n] += ss[n]
                put_row(parts.reshape(-1), length, columns, dx[c, done], add)
                ss[:] = none
                done += 1
            if h == tall:
                break
            for w in range(wide):
                ds, es, factor = dy[c, h, w], each[w * batch : (w + 1) * batch], factors[h, w]
                for n in range(es.size):
                    es[n] = ds[n] * factor
            for i in range(max(0, -top), min(kernel[0], height - top)):
                ss = shares[(top + i) % kernel[0]]
                for n in range(ss.size):
                    ss[n] += each[n]
