"""What a pass runs: tasks of steps, in stretches through which no thread waits for another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from netdef.layers.base import Backward, Epilogue, Forward
from netdef.plan import Program, Step
from netdef.run.touched import Touched

# What a step does for one shard, and tasks in which no shard waits for another.
Task = Callable[[Step, int], None]
Segment = list[tuple[Step, Task]]


class Pass(NamedTuple):
    """A way through the steps.

    Attributes:
        way: "forward" or "backward".
        first: the smallest number of a node that runs.
        last: the largest; None for no limit.
        skip_sources: without layers that have no bottoms.
    """

    way: str
    first: int
    last: int | None
    skip_sources: bool = False


class Segments:
    """The segments of each way through a program, made once.

    Args:
        program: whose steps run.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._count = program.lanes
        self._found: dict[Pass, list[Segment]] = {}

    def of(self, what: Pass) -> list[Segment]:
        """What a pass runs."""
        if what not in self._found:
            between = list(self.between(what.first, what.last))
            staged: Iterator[Segment]
            if what.way == "forward":
                steps = [
                    step
                    for step in between
                    if not (step.view or step.placed) and (step.bottoms or not what.skip_sources)
                ]
                alone, hosts = self._hosted(steps)
                staged = self._staged(
                    alone, lambda step: forward_tasks(step, hosts.get(id(step), ()))
                )
            else:
                steps = [step for step in between if step.backward and not step.view_diff]
                staged = self._staged(reversed(steps), backward_tasks)
            self._found[what] = list(staged)
        return self._found[what]

    def _hosted(self, steps: list[Step]) -> tuple[list[Step], dict[int, list[Step]]]:
        """The steps without those that others do for them, and who does whose work.

        Where only part of the net runs, a group may be cut: then each step runs by itself.
        """
        here = {id(step) for step in steps}
        groups: dict[int, list[Step]] = {}
        for step in self.program.steps:
            if step.fused_into >= 0:
                groups.setdefault(step.fused_into, []).append(step)
        hosts: dict[int, list[Step]] = {}
        for index, members in groups.items():
            host = self.program.steps[index]
            if all(id(step) in here for step in (host, *members)):
                hosts[id(host)] = members
        done = {id(member) for members in hosts.values() for member in members}
        return [step for step in steps if id(step) not in done], hosts

    def between(self, first: int, last: int | None) -> Iterator[Step]:
        """The steps of these nodes, both included."""
        for step in self.program.steps:
            if step.node >= first and (last is None or step.node <= last):
                yield step

    def _staged(
        self, steps: Iterable[Step], tasks_of: Callable[[Step], list[Task]]
    ) -> Iterator[Segment]:
        """The tasks of steps, in segments."""
        segment: Segment = []
        touched = Touched(self._count)
        for step in steps:
            for number, task in enumerate(tasks_of(step)):
                meets = number > 0 or (segment and segment[-1][0].apart != step.apart)
                if segment and self._count > 1 and (meets or touched.clashes(step)):
                    yield segment
                    segment = []
                    touched = Touched(self._count)
                segment.append((step, task))
                touched.add(step)
        if segment:
            yield segment


def forward_tasks(step: Step, members: Sequence[Step]) -> list[Task]:
    """What a step does forward, in stages between which its shards meet.

    Args:
        step: the step.
        members: steps whose work it does block by block.
    """
    if step.layer is None:
        return [_copy]
    runs = step.forward_runs
    names, _ = step.layer_of(0).stages(runs[0].site)
    epilogues = [
        _merged([member.epilogues[shard] for member in members]) for shard in range(len(runs))
    ]
    return [
        partial(_stage, [getattr(step.layer_of(i), name) for i in range(len(runs))], epilogues)
        for name in names
    ]


def _merged(epilogues: list[Epilogue]) -> list[Epilogue]:
    """The same in as few as can be."""
    merged: list[Epilogue] = []
    for epilogue in epilogues:
        both = merged[-1].merged(epilogue) if merged else None
        if both is None:
            merged.append(epilogue)
        else:
            merged[-1] = both
    return merged


def backward_tasks(step: Step) -> list[Task]:
    """What a step does backward, in stages between which its shards meet."""
    if step.layer is None or step.view:
        return [_copy_back]
    _, names = step.layer.stages(step.forward_runs[0].site)
    stages: list[Task] = [partial(_stage_back, getattr(step.layer, name)) for name in names]
    return [*stages[:-1], partial(_last_stage_back, stages[-1])]


def _stage(
    methods: list[Callable[[Forward[Any]], None]],
    epilogues: list[list[Epilogue]],
    step: Step,
    shard: int,
) -> None:
    run = step.forward_runs[shard]
    run.epilogues = epilogues[shard]
    methods[shard](run)


def _stage_back(method: Callable[[Backward[Any]], None], step: Step, shard: int) -> None:
    method(step.backward_runs[shard])


def _last_stage_back(stage: Task, step: Step, shard: int) -> None:
    """Run the stage, then add the gradients that the layer can only set."""
    stage(step, shard)
    for scratch, target in step.adders[shard]:
        np.add(target, scratch, out=target)


def _copy(step: Step, shard: int) -> None:
    run = step.forward_runs[shard]
    np.copyto(run.tops[0], run.bottoms[0])


def _copy_back(step: Step, shard: int) -> None:
    """The gradients of a copy's or view's tops, set or added to its bottom's."""
    run = step.backward_runs[shard]
    adds = step.adds[0]
    for target, diff in zip(run.bottom_diffs, run.top_diffs, strict=True):
        assert target is not None
        if adds:
            np.add(target, diff, out=target)
        else:
            np.copyto(target, diff)
        adds = True
