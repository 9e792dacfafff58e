"""Walks a program's steps forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter_ns
from typing import Any

import numpy as np

from netdef.data.errors import DataError
from netdef.diag import BottomError, FieldError, NetdefError, Problem
from netdef.graph.problems import complaint, name_span
from netdef.layers.base import Array, Backward, Epilogue, Forward
from netdef.plan import ParamGradient, Program, Step
from netdef.run.observer import Observer
from netdef.run.threads import blas, workers
from netdef.run.trace import Event, Trace

_WORTH_THREADS = 50_000_000
"""Multiply-accumulates of a forward pass from which on BLAS may use several threads."""

# What a step does for one shard, and tasks in which no shard waits for another.
Task = Callable[[Step, int], None]
Segment = list[tuple[Step, Task]]


class Executor:
    """Runs one program, again and again.

    Consecutive sharded steps are one segment: each shard's thread runs through it without
    waiting for the others. Threads meet where a step works on the whole batch.

    Args:
        program: the plan's result.
        diffs: for each of the net's params its gradient array, in Caffe's shape.

    Attributes:
        trace: takes the time of each step; None for none.
        observer: looks at the values between the steps; None for nobody.
    """

    def __init__(self, program: Program, diffs: Sequence[Array]) -> None:
        self.program = program
        self._diffs = diffs
        self._spare: dict[int, Array] = {}
        self._blas_threads = _blas_threads(program)
        self.trace: Trace | None = None
        self.observer: Observer | None = None
        self._indices = {id(step): index for index, step in enumerate(program.steps)}
        self._segments: dict[tuple[object, ...], list[Segment]] = {}

    def forward(
        self, first: int = 0, last: int | None = None, *, skip_sources: bool = False
    ) -> None:
        """Run the steps of nodes `first` to `last` (inclusive) forward.

        Args:
            first: the first node to run.
            last: the last node to run.
            skip_sources: keep what the layers without bottoms gave before.
        """
        if self.observer is not None:
            self._forward_observed(self.observer, first, last, skip_sources=skip_sources)
            return
        key = ("forward", first, last, skip_sources)
        if key not in self._segments:
            steps = [
                step
                for step in self._between(first, last)
                if not (step.view or step.placed) and (step.bottoms or not skip_sources)
            ]
            alone, hosts = self._hosted(steps)
            self._segments[key] = list(
                self._staged(alone, lambda step: _forward_tasks(step, hosts.get(id(step), ())))
            )
        self._run(self._segments[key], "forward")

    def backward(self, fresh: Sequence[bool], first: int = 0, last: int | None = None) -> list[int]:
        """Run the steps of nodes `last` down to `first` backward.

        Args:
            fresh: for each param whether its gradient is set, not added to.
            first: the last node to run.
            last: the first node to run.

        Returns:
            The params that now have a gradient.
        """
        for value in self.program.values:
            if value.seed:
                for diff in value.diffs:
                    diff.fill(value.seed)
        for gradient in self.program.gradients:
            self._aim(gradient, fresh=fresh[gradient.param])
        if self.observer is not None:
            self._backward_observed(self.observer, first, last)
        else:
            key = ("backward", first, last)
            if key not in self._segments:
                steps = [s for s in self._between(first, last) if s.backward and not s.view_diff]
                self._segments[key] = list(self._staged(reversed(steps), _backward_tasks))
            self._run(self._segments[key], "backward")
        ran = {
            i
            for i, step in enumerate(self.program.steps)
            if step.node >= first and (last is None or step.node <= last)
        }
        gradients = [g for g in self.program.gradients if any(p.step in ran for p in g.parts)]
        self._gather(gradients, ran, fresh)
        return [gradient.param for gradient in gradients]

    def _forward_observed(
        self, observer: Observer, first: int, last: int | None, *, skip_sources: bool
    ) -> None:
        for step in self._between(first, last):
            here = not (step.view or step.placed) and (step.bottoms or not skip_sources)
            tasks = _forward_tasks(step, ()) if here else []
            self._run([[(step, task)] for task in tasks], "forward")
            observer.ran_forward(step)

    def _backward_observed(self, observer: Observer, first: int, last: int | None) -> None:
        for step in reversed([s for s in self._between(first, last) if s.backward]):
            observer.before_backward(step)
            tasks = [] if step.view_diff else _backward_tasks(step)
            self._run([[(step, task)] for task in tasks], "backward")
            observer.ran_backward(step)

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

    def _between(self, first: int, last: int | None) -> Iterator[Step]:
        for step in self.program.steps:
            if step.node >= first and (last is None or step.node <= last):
                yield step

    def _staged(
        self, steps: Iterable[Step], tasks_of: Callable[[Step], list[Task]]
    ) -> Iterator[Segment]:
        """The tasks of steps, in segments."""
        segment: Segment = []
        alone = self.program.shards == 1
        for step in steps:
            for number, task in enumerate(tasks_of(step)):
                meets = number > 0 or (segment and segment[-1][0].sharded != step.sharded)
                if segment and meets and not alone:
                    yield segment
                    segment = []
                segment.append((step, task))
        if segment:
            yield segment

    def _run(self, segments: Iterable[Segment], way: str) -> None:
        shards = self.program.shards
        blas.use(self._blas_threads)
        for segment in segments:
            if segment[0][0].sharded and shards > 1:
                workers(shards).run(
                    [partial(self._run_segment, segment, shard, way) for shard in range(shards)]
                )
            else:
                self._run_segment(segment, 0, way)

    def _run_segment(self, segment: Segment, shard: int, way: str) -> None:
        step = None
        try:
            # what is not finite is carried, as in Caffe, and does not warn at each layer
            with np.errstate(all="ignore"):
                if self.trace is not None:
                    segment = [(step, self._traced(task, way)) for step, task in segment]
                for step, task in segment:
                    task(step, shard)
        except (BottomError, FieldError, DataError) as error:
            assert step is not None
            raise NetdefError(self._placed(step, error)) from error

    def _traced(self, task: Task, way: str) -> Task:
        """The same task, with its time noted."""
        trace = self.trace
        assert trace is not None

        def run(step: Step, shard: int) -> None:
            begin = perf_counter_ns()
            try:
                task(step, shard)
            finally:
                index = self._indices[id(step)]
                trace.add(Event(index, way, shard, begin, perf_counter_ns()))

        return run

    def _placed(self, step: Step, error: BottomError | FieldError | DataError) -> Problem:
        net = self.program.net
        node = net.nodes[step.node]
        if isinstance(error, DataError):
            return replace(error.problem(), span=name_span(net, node))
        return complaint(net, node, error)

    def _aim(self, gradient: ParamGradient, *, fresh: bool) -> None:
        """Let the part that starts a sum be written where the sum belongs."""
        if gradient.parts[-1].array is not None:
            return
        target = self._diffs[gradient.param]
        if not fresh:
            if gradient.param not in self._spare:
                self._spare[gradient.param] = np.zeros_like(target)
            target = self._spare[gradient.param]
        gradient.parts[-1].aim(target)

    def _gather(self, gradients: list[ParamGradient], ran: set[int], fresh: Sequence[bool]) -> None:
        """Add up the parts of gradients, large params apart from each other in the threads."""
        shards = self.program.shards
        groups: list[list[ParamGradient]] = [[] for _ in range(shards)]
        sizes = [0] * shards
        for gradient in sorted(gradients, key=lambda g: -self._diffs[g.param].size):
            least = sizes.index(min(sizes))
            groups[least].append(gradient)
            sizes[least] += self._diffs[gradient.param].size

        def add(group: list[ParamGradient]) -> None:
            with np.errstate(all="ignore"):
                for gradient in group:
                    self._add(gradient, ran, fresh=fresh[gradient.param])

        if shards > 1:
            workers(shards).run([partial(add, group) for group in groups])
        else:
            add(groups[0])

    def _add(self, gradient: ParamGradient, ran: set[int], *, fresh: bool) -> None:
        """Add up the parts of a param's gradient, the last use first as in Caffe."""
        total = self._diffs[gradient.param]
        for part in reversed([part for part in gradient.parts if part.step in ran]):
            if part.array is None:
                if not fresh:
                    np.add(total, self._spare[gradient.param], out=total)
                fresh = False
                continue
            if part.scale != 1:
                np.multiply(part.array, part.array.dtype.type(part.scale), out=part.array)
            if fresh:
                np.copyto(total, part.array)
                fresh = False
            else:
                np.add(total, part.array, out=total)


def _blas_threads(program: Program) -> int:
    """Threads that the shards leave idle, where a pass has work for them.

    Two threads on products of a millisecond or less gain nothing, and where another program
    has the second core, each waits for the other.
    """
    idle = program.options.shards // program.shards
    if idle <= 1:
        return 1
    net = program.net
    macs = 0
    for step in program.steps:
        node = net.nodes[step.node]
        bottoms, tops = net.bottom_shapes(node), net.top_shapes(node)
        if step.layer is not None and bottoms is not None and tops is not None:
            macs += step.layer.macs(bottoms, tops)
    return idle if macs >= _WORTH_THREADS else 1


def _forward_tasks(step: Step, members: Sequence[Step]) -> list[Task]:
    """What a step does forward, in stages between which its shards meet.

    Args:
        step: the step.
        members: steps whose work it does block by block.
    """
    if step.layer is None:
        return [_copy]
    names, _ = step.layer.stages(step.forward_runs[0].site)
    epilogues = [
        _merged([member.epilogues[shard] for member in members])
        for shard in range(len(step.forward_runs))
    ]
    return [partial(_stage, getattr(step.layer, name), epilogues) for name in names]


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


def _backward_tasks(step: Step) -> list[Task]:
    """What a step does backward, in stages between which its shards meet."""
    if step.layer is None or step.view:
        return [_copy_back]
    _, names = step.layer.stages(step.forward_runs[0].site)
    stages: list[Task] = [partial(_stage_back, getattr(step.layer, name)) for name in names]
    return [*stages[:-1], partial(_last_stage_back, stages[-1])]


def _stage(
    method: Callable[[Forward[Any]], None], epilogues: list[list[Epilogue]], step: Step, shard: int
) -> None:
    run = step.forward_runs[shard]
    run.epilogues = epilogues[shard]
    method(run)


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
