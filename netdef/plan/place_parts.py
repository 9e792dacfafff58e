"""The passes that make joining and cutting free: parts lie in the memory of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from netdef.plan.program import Program, Step, Value
from netdef.plan.share_memory import memory_of, only_gradient, sharers


def place_slices(program: Program) -> None:
    """Let the tops of a Slice lie in its bottom's memory, one after the other.

    Their gradients lie in the bottom's where that comes from nowhere else.
    """
    for index, step in enumerate(program.steps):
        if step.layer is None or step.view or not step.layer.cuts(_shapes(program, step)):
            continue
        bottom = step.bottoms[0]
        whole = program.values[bottom]
        parts = [program.values[top] for top in step.tops]
        own_diffs = all(part.gradient and part.diff_memory < 0 for part in parts)
        diffs = own_diffs and step.propagate[0] and only_gradient(program, bottom, index)
        for part, offset in zip(parts, _offsets(program, step.tops), strict=True):
            part.memory, part.offset = memory_of(program, bottom), whole.offset + offset
            if diffs:
                part.diff_memory, part.diff_offset = bottom, offset
        step.placed, step.view_diff = True, diffs


def place_joined(program: Program) -> None:
    """Let the bottoms of a Concat lie in its top's memory, one after the other.

    Not those that something writes over later, nor those that are part of another whole. Their
    gradients lie in the top's where they come from nowhere else.
    """
    for index, step in enumerate(program.steps):
        if step.layer is None or step.view or not step.layer.joins(_shapes(program, step)):
            continue
        top = step.tops[0]
        if any(_written_after(program, value, index) for value in sharers(program, top)):
            continue
        placed, placed_diffs = [], []
        for bottom, offset in zip(step.bottoms, _offsets(program, step.bottoms), strict=True):
            fits = step.bottoms.count(bottom) == 1 and _can_move(program, bottom, index)
            placed.append(fits)
            if not fits:
                continue
            for value in list(sharers(program, bottom)):
                value.memory = memory_of(program, top)
                value.offset += program.values[top].offset + offset
            position = step.bottoms.index(bottom)
            if step.propagate[position] and only_gradient(program, bottom, index):
                value = program.values[bottom]
                value.diff_memory, value.diff_offset = top, offset
                placed_diffs.append(position)
        step.placed = all(placed)
        wanted = [i for i, wish in enumerate(step.propagate) if wish]
        step.view_diff = step.backward and placed_diffs == wanted


def _shapes(program: Program, step: Step) -> tuple[tuple[int, ...], ...]:
    return tuple(program.values[bottom].shape for bottom in step.bottoms)


def _offsets(program: Program, parts: tuple[int, ...]) -> Iterator[int]:
    """Where each part begins in the whole."""
    offset = 0
    for part in parts:
        yield offset
        offset += program.stretch(program.values[part])


def _can_move(program: Program, index: int, at: int) -> bool:
    """Whether a value's memory can be part of what step `at` makes."""
    value = program.values[index]
    root = program.values[memory_of(program, index)]
    if prod(root.shape) != prod(value.shape):
        return False
    return not any(
        program.is_source(other) or _written_after(program, other, at)
        for other in sharers(program, index)
    )


def _written_after(program: Program, value: Value, at: int) -> bool:
    maker = program.steps[value.step]
    return value.step > at and not (maker.view or maker.placed)
