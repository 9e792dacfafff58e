"""Memory that several values, or gradients, use in turn, where nobody looks at them later."""

from __future__ import annotations

from math import prod

import numpy as np

from netdef.layers.base import Array, Layout
from netdef.plan.program import Program, Value
from netdef.plan.share_memory import kept, memory_of

Lives = dict[int, tuple[int, int]]

_EVEN = 16
"""Values that begin where a cache line does."""


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
    return _in_turn(program, _lives(program))


def reuse_gradients(program: Program) -> dict[int, list[Array]]:
    """The same for gradients, which backward needs from the first that writes to the maker.

    Not those that are there before backward starts, or have to be zero: of losses, and of
    values in whose gradient's memory there is some that nobody writes.
    """
    return {} if program.options.keep is None else _in_turn(program, _gradient_lives(program))


def _in_turn(program: Program, lives: Lives) -> dict[int, list[Array]]:
    """Memory for values that live from one time to another, both included.

    One arena a shard. The largest values are placed first, each as low as it can be beside those
    that live at the same time and are placed already.
    """
    made: dict[int, list[Array]] = {index: [] for index in lives}
    for shard in range(program.shards):
        shapes = {i: program.array_shapes(program.values[i])[shard] for i in lives}
        sizes = {i: -(-prod(shape) // _EVEN) * _EVEN for i, shape in shapes.items()}
        places: dict[int, int] = {}
        for index in sorted(lives, key=lambda i: (-sizes[i], i)):
            taken = [
                (place, place + sizes[other])
                for other, place in places.items()
                if _overlap(lives[index], lives[other])
            ]
            places[index] = _lowest(sizes[index], sorted(taken))
        whole = max((place + sizes[i] for i, place in places.items()), default=0)
        arena = program.options.zeros(whole, program.options.dtype)
        for index, place in places.items():
            shape = shapes[index]
            made[index].append(arena[place : place + prod(shape)].reshape(shape))
    return made


def _overlap(some: tuple[int, int], others: tuple[int, int]) -> bool:
    return some[0] <= others[1] and others[0] <= some[1]


def _lowest(size: int, taken: list[tuple[int, int]]) -> int:
    """Where so much fits first."""
    place = 0
    for begin, end in taken:
        if begin - place >= size:
            break
        place = max(place, end)
    return place


def owner(array: Array) -> Array:
    """The array that owns the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _lives(program: Program) -> Lives:
    """First and last step that uses each memory; without those that must last."""
    visible = {id(v) for v in program.last().values() if kept(program, v)}
    lives: Lives = {}
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


def _gradient_lives(program: Program) -> Lives:
    """First and last step backward, counted from the net's end, that uses each gradient's memory.

    Without those that must last; who shares memory with one of them lasts too.
    """
    visible = {id(v) for v in program.last().values() if kept(program, v)}
    lives: Lives = {}
    lasting: set[int] = set()
    for index, value in enumerate(program.values):
        if not value.gradient:
            continue
        root = _diff_memory_of(program, index)
        steps = [(s, i) for s, i in value.consumers if program.steps[s].backward]
        writers = [s for s, i in steps if program.steps[s].propagate[i]]
        if _lasts(program, value) or id(value) in visible or not writers:
            lasting.add(root)
            continue
        times = [-step for step in (*writers, value.step)]
        begin, end = lives.get(root, (times[0], times[0]))
        lives[root] = (min(begin, *times), max(end, *times))
    for index, value in enumerate(program.values):
        value.diff_kept = _diff_memory_of(program, index) in lasting
    return {root: life for root, life in lives.items() if root not in lasting}


def _diff_memory_of(program: Program, index: int) -> int:
    """The value in whose gradient's memory a value's gradient lies, itself where nowhere else."""
    while (memory := program.values[index].diff_memory) >= 0:
        index = memory
    return index


def _lasts(program: Program, value: Value) -> bool:
    return value.layout is not Layout.CHWN or program.is_source(value) or bool(value.seed)
