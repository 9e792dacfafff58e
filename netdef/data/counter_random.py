"""Random numbers that depend on a seed and a counter, and on nothing that was drawn before.

The crop of record 1,000,000 can be known without drawing those of the 999,999 before it: a run
that goes on from a snapshot, and a thread that reads ahead, get the same numbers.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_STEP = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


class Purpose(IntEnum):
    """What numbers are for; each purpose has numbers of its own. A number is never given again."""

    SKIP = 1
    MIRROR = 2
    CROP_ROW = 3
    CROP_COLUMN = 4
    FILES = 5
    ROWS = 6
    LINES = 7
    WINDOW = 8


def draw(
    seed: int, purpose: Purpose, counters: NDArray[np.uint64], below: int | NDArray[np.uint64]
) -> NDArray[np.int64]:
    """A number from 0 to below `below`, at most 2**32, for each counter.

    Args:
        seed: of the run.
        purpose: what the numbers are for.
        counters: (N,).
        below: the bound, at least 1; one for all or (N,).
    """
    start = np.uint64(_mix_int(_mix_int(seed & _MASK) ^ (purpose * _STEP & _MASK)))
    mixed = _mix(start + (counters + np.uint64(1)) * np.uint64(_STEP))
    # the high bits, scaled: a remainder would prefer small numbers
    return (((mixed >> np.uint64(32)) * np.asarray(below, np.uint64)) >> np.uint64(32)).astype(
        np.int64
    )


def draw_one(seed: int, purpose: Purpose, counter: int, below: int) -> int:
    """The number that `draw` gives a single counter."""
    return int(draw(seed, purpose, np.array([counter], np.uint64), below)[0])


def shuffled(
    seed: int, purpose: Purpose, counters: tuple[int, ...], count: int
) -> NDArray[np.int64]:
    """A random order of `count` things, one for each tuple of counters."""
    sequence = np.random.SeedSequence([seed & _MASK, purpose, *counters])
    return np.random.Generator(np.random.PCG64(sequence)).permutation(count)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _mix_int(x: int) -> int:
    return int(_mix(np.array([x], np.uint64))[0])
