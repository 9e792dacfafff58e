"""What tests of recurrent layers have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdef.layers.base import Array, Shape


def starting_new(generator: np.random.Generator, shape: Shape) -> Array:
    """Marks that begin every stream at the first step, and some later.

    What a pass leaves behind then means nothing to the next, as the laws want it.
    """
    cont = (generator.random(shape) < 0.7).astype(np.float64)
    cont[0] = 0
    return cont


def going_on(generator: np.random.Generator, shape: Shape) -> Array:
    """Marks of which some, at the first step too, go on with what was before."""
    cont = (generator.random(shape) < 0.7).astype(np.float64)
    cont[0, 0], cont[0, 1:] = 1, 0
    return cont


def normal(*shape: int, seed: int = 1) -> Array:
    """Normal random numbers."""
    values: Any = np.random.default_rng(seed).standard_normal(shape)
    return values
