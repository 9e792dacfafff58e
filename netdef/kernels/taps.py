"""Which values each tap of a moving window meets."""

from __future__ import annotations

from typing import NamedTuple


class Tap(NamedTuple):
    """Outputs `low` to `high` (excluded) meet inputs `start`, `start + stride`, ..."""

    low: int
    high: int
    start: int


def taps(
    size: int, out: int, kernel: int, stride: int, pad: int, dilation: int = 1
) -> tuple[Tap, ...]:
    """For each tap of a window along one axis, the outputs for which it lies on the input.

    Example:
        >>> taps(size=4, out=4, kernel=3, stride=1, pad=1)[0]
        Tap(low=1, high=4, start=0)
    """
    found = []
    for tap in range(kernel):
        offset = tap * dilation - pad
        low = max(0, -(offset // stride))
        high = max(low, min(out, (size - 1 - offset) // stride + 1))
        found.append(Tap(low, high, low * stride + offset))
    return tuple(found)
