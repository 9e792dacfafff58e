"""The passes that let values share memory: views, and layers that write in place."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.plan.program import Program, Step, Value


def share_views(program: Program) -> None:
    """Let the tops of reshapes and splits lie in their bottom's memory.

    Their gradients share too where the bottom's comes from nowhere else.
    """
    for index, step in enumerate(program.steps):
        if not step.view:
            continue
        bottom = step.bottoms[0]
        for top in step.tops:
            share(program, bottom, top)
        if step.backward and len(step.tops) == 1 and only_gradient(program, bottom, index):
            program.values[bottom].diff_memory = step.tops[0]
            step.view_diff = True


def run_in_place(program: Program) -> None:
    """Let layers that can write over their bottom do so where nobody misses what was there.

    Nobody does where no other step reads the bottom's memory later, forward or backward, and
    no user can look at it. A gradient is written over where it comes from nowhere else.
    """
    if not program.options.in_place:
        return
    visible = {id(v) for v in program.last().values() if kept(program, v)}
    for index, step in enumerate(program.steps):
        if step.layer is None or not step.layer.in_place or step.view:
            continue
        bottom, top = step.bottoms[0], step.tops[0]
        if program.values[bottom].shape != program.values[top].shape:
            continue
        if not _reads_itself(step) and not any(
            _missed(program, value, index, visible) for value in sharers(program, bottom)
        ):
            share(program, bottom, top)
            for value in sharers(program, bottom):
                value.kept = value is program.values[top]
        if step.propagate[0] and only_gradient(program, bottom, index):
            _share_diff(program, bottom, top)


def _reads_itself(step: Step) -> bool:
    return step.backward and step.layer is not None and step.layer.reads_bottoms


def kept(program: Program, value: Value) -> bool:
    """Whether a user may look at the value after a pass."""
    keep = program.options.keep
    return keep is None or value.name in keep or program.is_input(value)


def memory_of(program: Program, index: int) -> int:
    """The value in whose memory a value lies, itself where nowhere else."""
    memory = program.values[index].memory
    return index if memory < 0 else memory


def share(program: Program, bottom: int, top: int) -> None:
    """Let a top lie where its bottom does, and with it what lay in the top's memory."""
    memory, offset = memory_of(program, bottom), program.values[bottom].offset
    for value in list(sharers(program, top)):
        value.memory = memory
        value.offset += offset


def _share_diff(program: Program, bottom: int, top: int) -> None:
    """Let the gradients of a bottom and a top lie in one place, where either is still free."""
    if program.values[bottom].diff_memory < 0:
        program.values[bottom].diff_memory = top
    elif program.values[top].diff_memory < 0:
        program.values[top].diff_memory = bottom


def sharers(program: Program, index: int) -> Iterator[Value]:
    """All values that lie in the same memory, this one included."""
    memory = memory_of(program, index)
    for other, value in enumerate(program.values):
        if memory_of(program, other) == memory:
            yield value


def _missed(program: Program, value: Value, at: int, visible: set[int]) -> bool:
    """Whether anyone wants a value's data once step `at` has written over it."""
    if value.step >= at:
        return False
    if id(value) in visible or program.is_source(value):
        return True
    for consumer, position in value.consumers:
        if consumer == at and position > 0:
            return True  # the same memory is read once more while it is written
        step = program.steps[consumer]
        reads = step.layer is not None and step.layer.reads_bottoms and not step.view
        if consumer > at or (consumer != at and step.backward and reads):
            return True
    maker = program.steps[value.step]
    return bool(maker.backward and maker.layer is not None and maker.layer.reads_tops) and not (
        maker.view
    )


def only_gradient(program: Program, index: int, step: int) -> bool:
    """Whether a value's gradient comes from one step alone."""
    value = program.values[index]
    sources = [s for s, i in value.consumers if program.steps[s].propagate[i]]
    return value.gradient and sources == [step] and not value.seed
