"""The pass that lets a layer do the work of those after it while its top is in cache."""

from __future__ import annotations

from netdef.layers.base import Layout
from netdef.plan.program import Program, Step
from netdef.plan.sites import site_of


def fuse(program: Program) -> None:
    """Fuse layers in place into the layer that makes their bottom.

    Convolution, BatchNorm, Scale and ReLU in a row then pass over memory once: each block of
    the convolution's output is finished before the next is begun. Backward stays as it is.
    """
    if not program.options.fuse:
        return
    for index, step in enumerate(program.steps):
        if step.layer is None or step.view or not step.layer.finishes_blocks:
            continue
        if step.fused_into >= 0:
            continue  # another step does this one and what follows it
        if step.layout is not Layout.CHWN or len(step.tops) != 1:
            continue
        top = step.tops[0]
        while (after := _after(program, step, top)) is not None:
            program.steps[after].fused_into = index
            top = program.steps[after].tops[0]


def _after(program: Program, step: Step, top: int) -> int | None:
    """The step that can be fused next, once `top` is the last thing `step` makes."""
    value = program.values[top]
    if len(value.consumers) != 1:
        return None
    index, _ = value.consumers[0]
    after = program.steps[index]
    if after.layer is None or after.layout is not step.layout or len(after.bottoms) != 1:
        return None
    made = program.values[after.tops[0]] if len(after.tops) == 1 else None
    same = value.memory if value.memory >= 0 else top
    if made is None or made.memory != same or after.view:
        return None
    assert step.layer is not None
    if not (step.layer.finishes_channels or after.layer.any_block):
        return None
    return index if after.layer.has_epilogue(site_of(program, after, 0)) else None
