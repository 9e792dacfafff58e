"""Random numbers that depend on nothing but the seed and what they are for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Fillers and passes draw from streams of their own.
_FILL, _PASS = 1, 2


@dataclass(slots=True)
class Moment:
    """What the random numbers of a net's passes depend on.

    Attributes:
        seed: of all random numbers.
        passes: forward passes so far.
    """

    seed: int
    passes: int = 0


def filling(seed: int, param: int) -> np.random.Generator:
    """For the filler of a param, by its index."""
    return _generator(seed, _FILL, param, 0, 0)


def passing(moment: Moment, node: int, shard: int) -> np.random.Generator:
    """For a layer, by its index, in one pass and one shard.

    Counted rather than carried on: a run that is resumed needs to know the number of its passes
    and nothing else.
    """
    return _generator(moment.seed, _PASS, node, moment.passes, shard)


def _generator(seed: int, stream: int, item: int, count: int, shard: int) -> np.random.Generator:
    key = np.array([seed, (stream << 32) + item], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, shard, count]))
