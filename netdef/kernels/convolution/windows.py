"""Copies between an image and the windows that a kernel sees of it, as views made once.

Winograd's tiles, im2col's columns and the phases of space-to-depth are all windows: `kernel`
values apart by `dilation`, moved by `stride` from one window to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.taps import Tap, taps

Array = NDArray[Any]
Pair = tuple[Array, Array]
T = TypeVar("T")

_KEPT = 8
"""Arrays whose views are kept; a plan hands over the same few again and again."""

_LONG = 64
"""Values of a run that is as fast to copy one by one."""


class Axis(NamedTuple):
    """Windows along one spatial axis.

    Attributes:
        taps: for each value of a window, the windows for which it lies on the image.
        positions: windows.
        stride: from one window to the next.
        dilation: from one value of a window to the next.
    """

    taps: tuple[Tap, ...]
    positions: int
    stride: int
    dilation: int = 1


Axes = tuple[Axis, Axis]
"""Windows along height and width."""


class Copies(NamedTuple):
    """Views that fill windows: zeros where they hang over the image, copies of the rest."""

    zeros: list[Array]
    pairs: list[Pair]

    def run(self) -> None:
        """Fill the windows."""
        for zeros in self.zeros:
            zeros.fill(0)
        for target, source in self.pairs:
            np.copyto(target, source)


class Kept(Generic[T]):
    """What was made for an array, as long as the same few arrays come again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Array, T]] = {}

    def get(self, array: Array, make: Callable[[Array], T]) -> T:
        """What `make` gave for this array, now or before."""
        # the entry holds the array itself, so its id cannot be another's
        found = self._known.get(id(array))
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[id(array)] = (array, make(array))
        return found[1]

    def clear(self) -> None:
        """Forget all arrays."""
        self._known.clear()


def axes(g: Geometry) -> Axes:
    """The windows that a convolution's kernel sees."""
    tall, wide = (Axis(g.taps(i), g.out[i], g.stride[i], g.dilation[i]) for i in range(2))
    return tall, wide


def axis(size: int, count: int, kernel: int, stride: int, pad: int) -> Axis:
    """Windows of `kernel` values, `stride` apart, the first at `-pad`; `count` of them.

    Args:
        size: of the image.
        count: windows; the last ones may hang over the image's end.
        kernel: values in a window.
        stride: from one window to the next.
        pad: values by which the first window hangs over the image's start.
    """
    return Axis(taps(size, count, kernel, stride, pad), count, stride)


def gather(over: Axes, rows: tuple[int, int], x: Array, windows: Array) -> Copies:
    """Views that fill windows from an image.

    Values that lie on the image for all windows are copied in one call.

    Args:
        over: the windows.
        rows: which windows along the height.
        x: image, (c, h, w, n).
        windows: in memory as one likes; axes (c, kernel_h, kernel_w, rows, w, n).
    """
    (tall, wide), (top, bottom) = over, rows
    zeros: list[Array] = []
    row_groups: list[tuple[slice, int, int, int]] = []
    if all(t.low <= top and t.high >= bottom for t in tall.taps):
        start = tall.taps[0].start + (top - tall.taps[0].low) * tall.stride
        row_groups.append((slice(0, len(tall.taps)), 0, bottom - top, start))
    else:
        for i, tap in enumerate(tall.taps):
            low, high, start = _clipped(tap, tall.stride, rows)
            row_groups.append((slice(i, i + 1), low - top, high - top, start))
            zeros += [windows[:, i, :, : low - top], windows[:, i, :, high - top :]]
    column_groups: list[tuple[slice, int, int, int]] = []
    if all(t.low == 0 and t.high == wide.positions for t in wide.taps):
        column_groups.append((slice(0, len(wide.taps)), 0, wide.positions, wide.taps[0].start))
    else:
        for j, tap in enumerate(wide.taps):
            column_groups.append((slice(j, j + 1), tap.low, tap.high, tap.start))
            zeros += [windows[:, :, j, :, : tap.low], windows[:, :, j, :, tap.high :]]
    pairs = []
    by_c, by_h, by_w, by_n = x.strides
    within, between = (
        (by_h * tall.dilation, by_w * wide.dilation),
        (by_h * tall.stride, by_w * wide.stride),
    )
    strides = (by_c, *within, *between, by_n)
    for tall_taps, first, last, h in row_groups:
        for wide_taps, left, right, w in column_groups:
            target = windows[:, tall_taps, wide_taps, first:last, left:right]
            if target.size:
                seen = as_strided(x[:, h:, w:], target.shape, strides, writeable=False)
                pairs.append(widened(target, seen))
    return Copies([z for z in zeros if z.size], pairs)


def split_size(g: Geometry) -> tuple[int, ...]:
    """Shape of the image that `split` makes: (c, stride_w, h, columns, n)."""
    stride = g.stride[1]
    return (g.channels, stride, g.size[0], -(-g.size[1] // stride), g.batch)


def split(x: Array, apart: Array) -> list[Pair]:
    """Views that bring together the columns of an image that a strided window meets in turn.

    After that one copy, all others are of long runs.

    Args:
        x: image, (c, h, w, n).
        apart: (c, stride, h, columns, n).
    """
    stride = apart.shape[1]
    phases = ((apart[:, i], x[:, :, i::stride]) for i in range(stride))
    return [widened(to[:, :, : some.shape[2]], some) for to, some in phases if some.size]


def gather_split(over: Axes, rows: tuple[int, int], x: Array, windows: Array) -> Copies:
    """`gather` from an image that `split` has taken apart; arguments as there."""
    tall, wide = over
    zeros: list[Array] = []
    pairs: list[Pair] = []
    stride = wide.stride
    for j, tap in enumerate(wide.taps):
        alone = Axis((tap._replace(start=tap.start // stride),), wide.positions, 1)
        some = gather((tall, alone), rows, x[:, tap.start % stride], windows[:, :, j : j + 1])
        zeros += some.zeros
        pairs += some.pairs
    return Copies(zeros, pairs)


def scatter(over: Axes, rows: tuple[int, int], x: Array, windows: Array) -> list[Pair]:
    """Pairs of views, one for each value of a window: the second goes to the first.

    Args:
        over: the windows.
        rows: which windows along the height.
        x: image, (c, h, w, n).
        windows: axes (c, kernel_h, kernel_w, rows, w, n).
    """
    tall, wide = over
    pairs = []
    for i, tap in enumerate(tall.taps):
        low, high, top = _clipped(tap, tall.stride, rows)
        for j, (left, right, start) in enumerate(wide.taps):
            if high <= low or right <= left:
                continue
            target = x[
                :,
                top : top + (high - low - 1) * tall.stride + 1 : tall.stride,
                start : start + (right - left - 1) * wide.stride + 1 : wide.stride,
            ]
            source = windows[:, i, j, low - rows[0] : high - rows[0], left:right]
            pairs.append((target, source))
    return pairs


def widened(target: Array, source: Array) -> Pair:
    """The same copy with the few values along the last axis taken as one wide value.

    NumPy's loop over a run of few values costs more than they do; a wide value is moved in one.
    """
    run = target.shape[-1]
    if not 1 < run <= _LONG or any(a.strides[-1] != a.itemsize for a in (target, source)):
        return target, source
    if all(a.strides[-2] == a.itemsize * run for a in (target, source)):
        return target, source  # runs are longer than that
    kind = _wide(run * target.itemsize)
    return target.view(kind)[..., 0], source.view(kind)[..., 0]


def _wide(size: int) -> np.dtype[Any]:
    """A type of so many bytes, one that NumPy copies by itself if there is one."""
    return np.dtype({8: np.complex64, 16: np.complex128}.get(size, f"V{size}"))


def _clipped(tap: Tap, stride: int, rows: tuple[int, int]) -> tuple[int, int, int]:
    """Windows low to high (excluded) of some rows, and where the tap of the first one lies."""
    low = min(max(tap.low, rows[0]), rows[1])
    high = max(low, min(tap.high, rows[1]))
    return low, high, tap.start + (low - tap.low) * stride
