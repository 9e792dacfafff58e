"""The pass that says, for each gradient, who sets it and who adds to it."""

from __future__ import annotations

from netdef.plan.program import Program


def sum_gradients(program: Program) -> None:
    """Let the first step that backward meets set a value's gradient, and the others add.

    Where the value is part of the loss, its gradient starts from the loss weight and all add.
    """
    written = {i for i, value in enumerate(program.values) if value.seed}
    for step in reversed(program.steps):
        if not step.backward or step.view_diff:
            continue
        adds = []
        for bottom, wanted in zip(step.bottoms, step.propagate, strict=True):
            adds.append(wanted and bottom in written)
            if wanted:
                written.add(bottom)
        step.adds = tuple(adds)
