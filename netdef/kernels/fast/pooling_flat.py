"""Pooling forward, a channel at a time as it lies in memory.

Runs may be short, so there are few of them: maxima or sums of
columns are put down with their padding, at
stride 2 taken apart into even and odd ones, all rows at once; then a run makes a row of the output.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.fast.jit import compiled, inlined
from netdef.kernels.pooling.average import AveragePool
from netdef.kernels.pooling.maximum import LOWEST, MaximumPool
from netdef.kernels.pooling.window import Array, Need, Window

Pair = tuple[int, int]


def fits(window: Window) -> bool:
    """Whether the ways here can pool: windows of 2×2 or 3×3 at stride 1, or 2 for one image."""
    w = window
    steps = w.stride == (1, 1) or (w.stride == (2, 2) and w.batch == 1)
    inside = all(size >= kernel for size, kernel in zip(w.size, w.kernel, strict=True))
    return steps and inside and w.kernel in ((2, 2), (3, 3)) and max(w.pad) < w.kernel[0]


def _pitch(window: Window) -> int:
    """Values of a row with its padding."""
    w = window
    columns = max(w.pad[1] + w.size[1], (w.out[1] - 1) * w.stride[1] + w.kernel[1])
    return -(-columns // w.stride[1]) * w.stride[1] * w.batch


def _columns(window: Window) -> Need:
    """What is made of columns; at stride 2 the even and the odd ones, too."""
    return Need((window.out[0] * _pitch(window) * (2 if window.stride[1] == 2 else 1),))


class FlatMaximumPool(MaximumPool):
    """Where it `fits`. Backward is NumPy's."""

    name = "compiled"

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """Maxima of columns."""
        needs = {"columns": _columns(self.window)}
        return {**super().needs(backward=backward), **needs} if backward else needs

    def forward(self, x: Array, y: Array) -> None:
        """Maxima of columns, then of those."""
        w = self.window
        sizes = w.size, w.out, w.kernel[0], w.stride[0], w.pad, w.batch
        lowest, columns = x.dtype.type(LOWEST), self._scratch["columns"]
        _maximum(x.reshape(-1), y.reshape(-1), columns, _pitch(w), *sizes, lowest)


class FlatAveragePool(AveragePool):
    """Where it `fits`. Backward is NumPy's."""

    name = "compiled"

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """Sums of columns."""
        needs = {"columns": _columns(self.window)}
        return {**super().needs(backward=backward), **needs} if backward else needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Count the values of each window."""
        super().bind(scratch, dtype)
        w = self.window
        self._each = np.broadcast_to(self._factors, (*w.out, w.batch)).reshape(-1)

    def forward(self, x: Array, y: Array) -> None:
        """Sums of columns, then of those, then one factor for each output."""
        w = self.window
        sizes = w.size, w.out, w.kernel[0], w.stride[0], w.pad, w.batch
        columns = self._scratch["columns"]
        _mean(x.reshape(-1), y.reshape(-1), columns, _pitch(w), *sizes, self._each)


# Places are unsigned, as in `depthwise_few`.


@inlined
def _larger(one: float, other: float) -> float:
    """The second where the first is NaN."""
    return one if one > other else other


@inlined
def _down(
    x: Array,
    at: np.uint64,
    line: np.uint64,
    rows: int,
    values: Array,
    to: np.uint64,
    count: np.uint64,
    lowest: float,
) -> None:
    """The largest of up to three values below each other."""
    second, third = at + line, at + line + line
    if rows == 3:
        for n in range(count):
            two = _larger(x[second + n], _larger(x[at + n], lowest))
            values[to + n] = _larger(x[third + n], two)
    elif rows == 2:
        for n in range(count):
            values[to + n] = _larger(x[second + n], _larger(x[at + n], lowest))
    elif rows == 1:
        for n in range(count):
            values[to + n] = _larger(x[at + n], lowest)
    else:
        for n in range(count):
            values[to + n] = lowest


@inlined
def _across(
    values: Array,
    taps: tuple[np.uint64, np.uint64, np.uint64],
    kernel: int,
    y: Array,
    to: np.uint64,
    count: np.uint64,
) -> None:
    """The largest of two or three values of a row."""
    first, second, third = taps
    if kernel == 2:
        for n in range(count):
            y[to + n] = _larger(values[second + n], values[first + n])
    else:
        for n in range(count):
            two = _larger(values[second + n], values[first + n])
            y[to + n] = _larger(values[third + n], two)


@inlined
def _take_apart(values: Array, half: np.uint64) -> None:
    """Put the even values behind all, and the odd ones behind those."""
    for n in range(half):
        m = n + n
        values[half + half + n] = values[m]
        values[half + half + half + n] = values[m + np.uint64(1)]


@inlined
def _taps(
    h: int, pitch: int, stride: int, n: int, all_rows: int
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Where the values of each tap begin, for a row of the output."""
    if stride == 2:
        first = all_rows + h * (pitch // 2)
        second, third = first + all_rows // 2, first + 1
    else:
        first = h * pitch
        second, third = first + n, first + 2 * n
    return np.uint64(first), np.uint64(second), np.uint64(third)


@compiled
def _maximum(
    x: Array,
    y: Array,
    values: Array,
    pitch: int,
    size: Pair,
    out: Pair,
    kernel: int,
    stride: int,
    pad: Pair,
    n: int,
    lowest: float,
) -> None:
    line, row, all_rows = size[1] * n, out[1] * n, out[0] * pitch
    values[:all_rows] = lowest
    down, count = np.uint64(line), np.uint64(row)
    for c in range(y.size // (out[0] * row)):
        for h in range(out[0]):
            top = h * stride - pad[0]
            first, end = max(0, top), min(size[0], top + kernel)
            at, to = np.uint64((c * size[0] + first) * line), np.uint64(h * pitch + pad[1] * n)
            _down(x, at, down, end - first, values, to, down, lowest)
        if stride == 2:
            _take_apart(values, np.uint64(all_rows // 2))
        for h in range(out[0]):
            taps = _taps(h, pitch, stride, n, all_rows)
            _across(values, taps, kernel, y, np.uint64((c * out[0] + h) * row), count)


@inlined
def _add_down(
    x: Array,
    at: np.uint64,
    line: np.uint64,
    rows: int,
    values: Array,
    to: np.uint64,
    count: np.uint64,
) -> None:
    """The sum of up to three values below each other."""
    second, third = at + line, at + line + line
    if rows == 3:
        for n in range(count):
            values[to + n] = x[at + n] + x[second + n] + x[third + n]
    elif rows == 2:
        for n in range(count):
            values[to + n] = x[at + n] + x[second + n]
    elif rows == 1:
        for n in range(count):
            values[to + n] = x[at + n]
    else:
        for n in range(count):
            values[to + n] = x.dtype.type(0)


@inlined
def _add_across(
    values: Array,
    taps: tuple[np.uint64, np.uint64, np.uint64],
    kernel: int,
    factors: Array,
    place: np.uint64,
    y: Array,
    to: np.uint64,
    count: np.uint64,
) -> None:
    """The sum of two or three values of a row, times a factor."""
    first, second, third = taps
    if kernel == 2:
        for n in range(count):
            y[to + n] = (values[first + n] + values[second + n]) * factors[place + n]
    else:
        for n in range(count):
            total = values[first + n] + values[second + n] + values[third + n]
            y[to + n] = total * factors[place + n]


@compiled
def _mean(
    x: Array,
    y: Array,
    values: Array,
    pitch: int,
    size: Pair,
    out: Pair,
    kernel: int,
    stride: int,
    pad: Pair,
    n: int,
    factors: Array,
) -> None:
    line, row, all_rows = size[1] * n, out[1] * n, out[0] * pitch
    values[:all_rows] = x.dtype.type(0)
    down, count = np.uint64(line), np.uint64(row)
    for c in range(y.size // (out[0] * row)):
        for h in range(out[0]):
            top = h * stride - pad[0]
            first, end = max(0, top), min(size[0], top + kernel)
            at, to = np.uint64((c * size[0] + first) * line), np.uint64(h * pitch + pad[1] * n)
            _add_down(x, at, down, end - first, values, to, down)
        if stride == 2:
            _take_apart(values, np.uint64(all_rows // 2))
        for h in range(out[0]):
            taps = _taps(h, pitch, stride, n, all_rows)
            place, to = np.uint64(h * row), np.uint64((c * out[0] + h) * row)
            _add_across(values, taps, kernel, factors, place, y, to, count)
