"""Memory that several values use one after the other, where nobody looks at them later."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.memory import aligned_zeros
from netdef.layers.base import Array, Layout
from netdef.plan.program import Program, Value
from netdef.plan.share_memory import kept, memory_of


def reuse(program: Program) -> dict[int, list[Array]]:
    """Arrays for the values whose memory is free again before the net has run.

    Only in a net without backward, which needs a value no longer than its last reader; only
    values that no user can look at; and only those that each shard has for itself, for the
    shards do not wait for each other.

    Returns:
        By index of the value that owns memory, its arrays, one a shard.
    """
    if program.options.keep is None or any(step.backward for step in program.steps):
        return {}
    lives = _lives(program)
    free: list[list[Array]] = []
    busy: list[tuple[int, list[Array]]] = []
    made: dict[int, list[Array]] = {}
    for index in sorted(lives, key=lambda i: lives[i]):
        begin, end = lives[index]
        free += [arrays for last, arrays in busy if last < begin]
        busy = [(last, arrays) for last, arrays in busy if last >= begin]
        shapes = program.array_shapes(program.values[index])
        sizes = [prod(shape) for shape in shapes]
        arrays = _take(free, sizes, program.options.dtype)
        busy.append((end, arrays))
        made[index] = [
            array[:size].reshape(shape)
            for array, size, shape in zip(arrays, sizes, shapes, strict=True)
        ]
    return made


def owner(array: Array) -> Array:
    """The array that owns the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _lives(program: Program) -> dict[int, tuple[int, int]]:
    """First and last step that uses each memory; without those that must last."""
    visible = {id(v) for v in program.last().values() if kept(program, v)}
    lives: dict[int, tuple[int, int]] = {}
    lasting: set[int] = set()
    for index, value in enumerate(program.values):
        root = memory_of(program, index)
        if _lasts(program, value) or id(value) in visible:
            lasting.add(root)
        last = max((step for step, _ in value.consumers), default=value.step)
        begin, end = lives.get(root, (value.step, last))
        lives[root] = (min(begin, value.step), max(end, last))
    for index, value in enumerate(program.values):
        value.kept = value.kept and memory_of(program, index) in lasting
    return {root: life for root, life in lives.items() if root not in lasting}


def _lasts(program: Program, value: Value) -> bool:
    return value.layout is not Layout.CHWN or program.is_source(value) or bool(value.seed)


def _take(free: list[list[Array]], sizes: list[int], dtype: DTypeLike) -> list[Array]:
    """The smallest free memory that is large enough, or new."""
    fits = [a for a in free if all(x.size >= size for x, size in zip(a, sizes, strict=True))]
    if fits:
        found = min(fits, key=lambda arrays: arrays[0].size)
        free[:] = [arrays for arrays in free if arrays is not found]
        return found
    return [aligned_zeros(size, dtype) for size in sizes]
