"""How long a way to compute a convolution takes here, by trying it."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm
from netdef.kernels.convolution.geometry import Geometry

_TRIES = 3
_ENOUGH = 0.5  # seconds


def measure(
    way: type[Algorithm],
    geometry: Geometry,
    dtype: DTypeLike,
    *,
    dx: bool,
    dw: bool,
    holds: bool = False,
) -> float:
    """Seconds of a pass forward, and of one backward where gradients are wanted.

    The best of three, or of fewer where one takes long.
    """
    g = geometry
    random = np.random.default_rng(1)

    def filled(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(dtype)

    x, y = filled(g.channels, *g.size, g.batch), filled(g.outputs, *g.out, g.batch)
    w, b = filled(g.outputs, g.channels // g.group, *g.kernel), filled(g.outputs)
    gradients = (np.empty_like(x) if dx else None, *_like(w, b, wanted=dw))
    algorithm = way(g)
    shapes = algorithm.scratch(dx=dx, dw=dw)
    algorithm.bind({name: np.zeros(shape, dtype) for name, shape in shapes.items()}, dtype)
    algorithm.holds = holds
    algorithm.take_weights(w, b)
    best = float("inf")
    begin = perf_counter()
    for _ in range(_TRIES + 1):  # the first makes views and warms caches
        start = perf_counter()
        algorithm.forward(x, w, b, y)
        if dx or dw:
            algorithm.backward(x, w, y, *gradients)
        best = min(best, perf_counter() - start)
        if perf_counter() - begin > _ENOUGH:
            break
    return best


def _like(*arrays: np.ndarray, wanted: bool) -> tuple[np.ndarray | None, ...]:
    return tuple(np.empty_like(array) if wanted else None for array in arrays)
