"""The pass that gives every value its memory."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import Array, Layout
from netdef.plan.program import Program, Value


def allocate(program: Program) -> None:
    """Make the arrays of all values and gradients; those that share memory get views of it."""
    for value in program.values:
        if value.memory < 0:
            value.arrays = _make(program, value)
        else:
            value.arrays = _view(program, value, program.values[value.memory].arrays)
    # a gradient lies in the memory of a later value's, which may itself share
    for value in reversed(program.values):
        if not value.gradient:
            continue
        if value.diff_memory < 0:
            value.diffs = _make(program, value)
        else:
            value.diffs = _view(program, value, program.values[value.diff_memory].diffs)
    program.bytes["blobs"] = sum(_bytes(v.arrays) for v in program.values if v.memory < 0)
    program.bytes["gradients"] = sum(_bytes(v.diffs) for v in program.values if v.diff_memory < 0)


def _make(program: Program, value: Value) -> list[Array]:
    return [np.zeros(s, program.options.dtype) for s in program.array_shapes(value)]


def _view(program: Program, value: Value, arrays: list[Array]) -> list[Array]:
    shapes = program.array_shapes(value)
    return [a.reshape(s) for a, s in zip(arrays, shapes, strict=True)]


def _bytes(arrays: list[Array]) -> int:
    return sum(array.nbytes for array in arrays)


def rows(program: Program, value: Value, arrays: list[Array], shard: int) -> Array:
    """The part of a value that a shard works on, batch axis last whatever its layout."""
    if value.layout is Layout.CHWN:
        return arrays[shard]
    low, high = program.bounds(value)[shard]
    return np.moveaxis(arrays[0][low:high], 0, -1)
