"""What a pooling is, in numbers, and its work along one axis, a slab for each tap.

A window of kh × kw taps is the work of kh + kw slabs: first along rows, which leaves one value
for each row of a window, then along columns. All slabs are runs of the batch, which is innermost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.kernels.taps import Tap, taps

Array = NDArray[Any]

_BLOCK = 1 << 17
"""Values of a block of channels: 512 KB of float32 stay in cache beside what is made of them."""


@dataclass(frozen=True, slots=True)
class Window:
    """Sizes of a pooling over arrays of (c, h, w, n).

    Attributes:
        channels: c.
        size: (h, w) of the input.
        batch: n.
        kernel: (h, w) of the window.
        stride: steps between windows.
        pad: around the input.
        out: (h, w) of the output, which is a matter of rounding and so not computed here.
    """

    channels: int
    size: tuple[int, int]
    batch: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    out: tuple[int, int]

    def taps(self, axis: int) -> tuple[Tap, ...]:
        """For each tap along an axis, the outputs for which it lies on the input."""
        size, out, pad = self.size[axis], self.out[axis], self.pad[axis]
        return taps(size, out, self.kernel[axis], self.stride[axis], pad)

    @property
    def top(self) -> tuple[int, int, int, int]:
        """Shape of the output."""
        return (self.channels, *self.out, self.batch)

    @property
    def is_whole(self) -> bool:
        """Whether one window covers the input."""
        full = all(t.high == 1 and t.low == 0 for axis in (0, 1) for t in self.taps(axis))
        return self.out == (1, 1) and self.kernel == self.size and full

    @property
    def block(self) -> int:
        """Channels that are worked on at a time."""
        return max(1, min(self.channels, _BLOCK // (self.size[0] * self.out[1] * self.batch)))

    @property
    def rows(self) -> tuple[int, int, int, int]:
        """Shape of a block after the work along rows."""
        return (self.block, self.size[0], self.out[1], self.batch)

    def blocks(self) -> Iterator[slice]:
        """Channels block by block."""
        for begin in range(0, self.channels, self.block):
            yield slice(begin, min(self.channels, begin + self.block))


class Need(NamedTuple):
    """An array that a pooling works in: shape, dtype (None: the data's), kept for backward."""

    shape: tuple[int, ...]
    dtype: DTypeLike | None = None
    saved: bool = False


class Pool(ABC):
    """One way to pool; made once, then called with arrays of (c, h, w, n) again and again.

    Attributes:
        name: as a plan prints it, where there is another.
    """

    name: str = ""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._scratch: Mapping[str, Array] = {}

    @abstractmethod
    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """Arrays it works in, by name."""

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take these arrays."""
        del dtype
        self._scratch = scratch

    @abstractmethod
    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Write the gradient of the input, or add it to what dx holds."""


class Axis:
    """The taps along one axis of arrays of (c, h, w, n).

    Args:
        window: sizes.
        axis: 0 for h, 1 for w.
    """

    def __init__(self, window: Window, axis: int) -> None:
        out, stride = window.out[axis], window.stride[axis]
        found = window.taps(axis)
        lead = (slice(None),) * (axis + 1)
        self.full = [t.low == 0 and t.high == out for t in found]
        self.covers = [t.high > t.low for t in found]
        self.inputs = [(*lead, _every(t, stride)) for t in found]
        self.outputs = [(*lead, slice(t.low, t.high)) for t in found]
        # taps before this one meet no input twice, and so need not add
        self.firsts = stride
        beyond = max(0, out * stride - window.pad[axis])
        self.rest = (*lead, slice(beyond, None))
        self.gapless = len(found) >= stride

    def reduce(
        self, combine: Callable[..., Any], source: Array, target: Array, empty: float
    ) -> None:
        """Combine the taps' values into the outputs.

        Args:
            combine: a ufunc of two arrays.
            source: inputs.
            target: outputs.
            empty: of a window that lies off the input.
        """
        full = [i for i, is_full in enumerate(self.full) if is_full]
        if len(full) > 1:
            first, second = full[:2]
            combine(source[self.inputs[first]], source[self.inputs[second]], out=target)
        elif full:
            np.copyto(target, source[self.inputs[full[0]]])
        else:
            target.fill(empty)
        for i, covers in enumerate(self.covers):
            if covers and i not in full[:2]:
                part = target[self.outputs[i]]
                combine(part, source[self.inputs[i]], out=part)

    def spread(self, source: Array, target: Array, *, add: bool) -> None:
        """Give every input the sum of the outputs it went into.

        Args:
            source: outputs.
            target: inputs.
            add: to what is there.
        """
        self.clear(target, add=add)
        for i, covers in enumerate(self.covers):
            if covers:
                part = target[self.inputs[i]]
                if add or i >= self.firsts:
                    np.add(part, source[self.outputs[i]], out=part)
                else:
                    np.copyto(part, source[self.outputs[i]])

    def route(
        self,
        values: Array,
        chosen: Array,
        source: Array,
        target: Array,
        scratch: Sequence[Array],
        *,
        add: bool,
        found: bool,
    ) -> None:
        """Give each output's share to the first input that has its value.

        Args:
            values: inputs.
            chosen: outputs, each one of its inputs.
            source: shares of the outputs.
            target: shares of the inputs.
            scratch: two arrays of bool and one of values, at least as large as the outputs.
            add: to what is there.
            found: an output that is none of its inputs has no share, and need not be looked for.
        """
        open_, hit, share = (_front(s, chosen.shape) for s in scratch)
        self.clear(target, add=add)
        used = [i for i, covers in enumerate(self.covers) if covers]
        # where no tap meets all outputs, what is chosen started from a value that is no input's
        surely = found and any(self.full)
        for i in used:
            at = self.outputs[i]
            here, still = hit[at], open_[at]
            if surely and i == used[-1] != used[0]:
                here = still  # nothing else is left
            else:
                np.equal(values[self.inputs[i]], chosen[at], out=here)
                if i != used[0]:
                    np.logical_and(here, still, out=here)
                    np.greater(still, here, out=still)
                elif self.full[i]:
                    np.logical_not(here, out=still)
                else:
                    open_.fill(1)
                    np.greater(still, here, out=still)
            part = target[self.inputs[i]]
            if add or i >= self.firsts:
                np.multiply(source[at], here, out=share[at])
                np.add(part, share[at], out=part)
            else:
                np.multiply(source[at], here, out=part)

    def clear(self, target: Array, *, add: bool) -> None:
        """Zero the inputs that will not be set."""
        if not add:
            target[self.rest if self.gapless else ...].fill(0)


def _every(tap: Tap, stride: int) -> slice:
    count = tap.high - tap.low
    return slice(tap.start, tap.start + (count - 1) * stride + 1, stride) if count else slice(0, 0)


def _front(array: Array, shape: tuple[int, ...]) -> Array:
    """The first values of a scratch array, in another shape."""
    size = int(np.prod(shape))
    return array.reshape(-1)[:size].reshape(shape)
