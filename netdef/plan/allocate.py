"""The pass that gives every value its memory."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from netdef.layers.base import Array, Layout
from netdef.plan.program import Program, Value
from netdef.plan.reuse import owner, reuse, reuse_gradients


def allocate(program: Program) -> None:
    """Make the arrays of all values and gradients; those that share memory get parts of it."""
    made = reuse(program)
    for index, value in enumerate(program.values):
        if value.memory < 0:
            value.arrays = made.get(index) or _make(program, value)
    for value in program.values:
        if value.memory >= 0:
            whole = program.values[value.memory].arrays
            value.arrays = _part(program, value, whole, value.offset)
    made = reuse_gradients(program)
    for index, value in enumerate(program.values):
        value.diffs = made.get(index, [])
    for value in program.values:
        _allocate_diff(program, value)
    program.bytes["blobs"] = _bytes(a for v in program.values if v.memory < 0 for a in v.arrays)
    program.bytes["gradients"] = _bytes(
        a for v in program.values if v.diff_memory < 0 for a in v.diffs
    )


def _allocate_diff(program: Program, value: Value) -> None:
    """Make a gradient's arrays, after those in whose memory they lie, and so on."""
    chain = []
    while value.gradient and not value.diffs:
        chain.append(value)
        if value.diff_memory < 0:
            break
        value = program.values[value.diff_memory]
    for link in reversed(chain):
        if link.diff_memory < 0:
            link.diffs = _make(program, link)
        else:
            whole = program.values[link.diff_memory].diffs
            link.diffs = _part(program, link, whole, link.diff_offset)


def _make(program: Program, value: Value) -> list[Array]:
    return [program.options.zeros(s, program.options.dtype) for s in program.array_shapes(value)]


def _part(program: Program, value: Value, whole: list[Array], offset: int) -> list[Array]:
    parts = []
    for array, shape in zip(whole, program.array_shapes(value), strict=True):
        begin = offset * (shape[-1] if value.layout is Layout.CHWN else 1)
        parts.append(array.reshape(-1)[begin : begin + prod(shape)].reshape(shape))
    return parts


def _bytes(arrays: Iterable[Array]) -> int:
    """What arrays take, of which several may use the same memory in turn."""
    spans: dict[int, tuple[int, int]] = {}
    for array in arrays:
        begin = array.__array_interface__["data"][0]
        first, last = spans.get(id(owner(array)), (begin, begin))
        spans[id(owner(array))] = min(first, begin), max(last, begin + array.nbytes)
    return sum(last - first for first, last in spans.values())


def rows(program: Program, value: Value, arrays: list[Array], shard: int) -> Array:
    """The part of a value that a shard works on, batch axis last whatever its layout."""
    if value.layout is Layout.CHWN:
        return arrays[shard]
    low, high = program.bounds(value)[shard]
    return np.moveaxis(arrays[0][low:high], 0, -1)
