"""Walks a program's steps forward and backward."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np

from netdef.data.errors import DataError
from netdef.diag import BottomError, FieldError, NetdefError, Problem
from netdef.graph import Net
from netdef.graph.problems import complaint, name_span
from netdef.kernels.memory import is_shared, zeros_beside
from netdef.layers.base import Array
from netdef.plan import ParamGradient, Program, Step
from netdef.run.observer import Observer
from netdef.run.segments import (
    Pass,
    Segment,
    Segments,
    Task,
    backward_tasks,
    forward_tasks,
)
from netdef.run.streams import Moment
from netdef.run.team import Lost, Member, Team, refuse_fork
from netdef.run.threads import blas, workers
from netdef.run.trace import Event, Trace

_WORTH_THREADS = 50_000_000
"""Multiply-accumulates of a forward pass from which on BLAS may use several threads."""

_WORTH_SHARING = 1 << 20
"""Values of gradients from which on threads share adding them up; waking them takes longer."""

_WORTH_PROCESSES = 10_000_000
"""Multiply-accumulates of a forward pass from which on shards may be processes."""


class ProcessLost(Problem):
    """A process that works on a part of each batch was ended from outside.

    Most often the system ended it because memory ran out; its log says so. Train with a smaller
    batch, with fewer `--threads`, or with `--no-processes`.
    """

    code = "N321"


_LOST_HELP = "a smaller batch, fewer `--threads` or `--no-processes` need less memory"


class _Command(NamedTuple):
    """What a process of the team is to run, and what has changed since it was made."""

    what: Pass
    fresh: tuple[bool, ...]
    moment: Moment
    traced: bool


class Executor:
    """Runs one program, again and again.

    Consecutive steps that several threads run are one segment: each runs through it without
    waiting for the others. Threads meet where a step works on the whole batch; on a single image,
    which is cut by channels, where one reads what another wrote. With processes
    in place of threads the same happens, in the same order, with the same numbers.

    Args:
        program: the plan's result.
        diffs: for each of the net's params its gradient array, in Caffe's shape.
        moment: what the program's random numbers depend on.
        processes: let processes work on the shards beyond the first where it is worth while;
            all arrays must be shared ones.

    Attributes:
        trace: takes the time of each step; None for none.
        observer: looks at the values between the steps; None for nobody.
    """

    def __init__(
        self,
        program: Program,
        diffs: Sequence[Array],
        moment: Moment,
        *,
        processes: bool = False,
    ) -> None:
        self.program = program
        self._diffs = diffs
        self._moment = moment
        self._spare: dict[int, Array] = {}
        self._count = program.lanes
        self._blas_threads = _blas_threads(program)
        self._processes = (
            processes
            and self._count > 1
            and all(is_shared(array) for array in (*program.params, *diffs))
        )
        self._owner = os.getpid() if processes else None
        self._team: Team | None = None
        self.trace: Trace | None = None
        self.observer: Observer | None = None
        self._indices = {id(step): index for index, step in enumerate(program.steps)}
        self._segments = Segments(program)

    def forward(
        self, first: int = 0, last: int | None = None, *, skip_sources: bool = False
    ) -> None:
        """Run the steps of nodes `first` to `last` (inclusive) forward.

        Args:
            first: the first node to run.
            last: the last node to run.
            skip_sources: keep what the layers without bottoms gave before.

        Raises:
            RuntimeError: the arrays are shared, and this is a fork of the process they are of.
        """
        self._refuse_fork()
        if self.observer is not None:
            self._forward_observed(self.observer, first, last, skip_sources=skip_sources)
        else:
            self._run(Pass("forward", first, last, skip_sources))

    def backward(self, fresh: Sequence[bool], first: int = 0, last: int | None = None) -> list[int]:
        """Run the steps of nodes `last` down to `first` backward.

        Args:
            fresh: for each param whether its gradient is set, not added to.
            first: the last node to run.
            last: the first node to run.

        Returns:
            The params that now have a gradient.

        Raises:
            RuntimeError: as for `forward`.
        """
        self._refuse_fork()
        for value in self.program.values:
            if value.seed:
                for diff in value.diffs:
                    diff.fill(value.seed)
        self._aim(fresh)
        if self.observer is not None:
            self._backward_observed(self.observer, first, last)
        else:
            self._run(Pass("backward", first, last), fresh)
        ran = {
            i
            for i, step in enumerate(self.program.steps)
            if step.node >= first and (last is None or step.node <= last)
        }
        gradients = [g for g in self.program.gradients if any(p.step in ran for p in g.parts)]
        self._gather(gradients, ran, fresh)
        return [gradient.param for gradient in gradients]

    def _refuse_fork(self) -> None:
        if self._owner is not None:
            refuse_fork(self._owner)

    def _forward_observed(
        self, observer: Observer, first: int, last: int | None, *, skip_sources: bool
    ) -> None:
        for step in self._segments.between(first, last):
            here = not (step.view or step.placed) and (step.bottoms or not skip_sources)
            tasks = forward_tasks(step, ()) if here else []
            self._run_in_threads([[(step, task)] for task in tasks], "forward")
            observer.ran_forward(step)

    def _backward_observed(self, observer: Observer, first: int, last: int | None) -> None:
        for step in reversed([s for s in self._segments.between(first, last) if s.backward]):
            observer.before_backward(step)
            tasks = [] if step.view_diff else backward_tasks(step)
            self._run_in_threads([[(step, task)] for task in tasks], "backward")
            observer.ran_backward(step)

    def _run(self, what: Pass, fresh: Sequence[bool] = ()) -> None:
        segments = self._segments.of(what)
        if self._processes and any(segment[0][0].apart for segment in segments):
            self._run_in_processes(what, segments, fresh)
        else:
            self._run_in_threads(segments, what.way)

    def _run_in_threads(self, segments: Iterable[Segment], way: str) -> None:
        blas.use(self._blas_threads)
        count = self._count
        for segment in segments:
            if segment[0][0].apart:
                workers(count).run(
                    [partial(self._run_segment, segment, shard, way) for shard in range(count)]
                )
            else:
                self._run_segment(segment, 0, way)

    def _run_in_processes(
        self, what: Pass, segments: Iterable[Segment], fresh: Sequence[bool]
    ) -> None:
        """Run as the team's leader: shard 0, and what works on the whole batch."""
        blas.use(self._blas_threads)  # before any fork, so that it holds for all
        if self._team is None:
            try:
                self._team = Team(self._count, self._serve)
            except OSError:  # no more processes, or no semaphores: threads do the same
                self._processes = False
                self._run_in_threads(segments, what.way)
                return
        team, trace = self._team, self.trace
        try:
            team.command(_Command(what, tuple(fresh), self._moment, trace is not None))
            for segment in segments:
                if segment[0][0].apart:
                    team.go()
                    self._run_segment(segment, 0, what.way)
                    team.wait()
                else:
                    self._run_segment(segment, 0, what.way)
            if trace is not None:
                for event in chain.from_iterable(team.results()):
                    trace.add(event)
        except BaseException as error:  # what the others do is worth nothing now
            self.close()
            if isinstance(error, Lost):
                raise NetdefError(ProcessLost(str(error), help=_LOST_HELP)) from error
            raise

    def _serve(self, member: Member, command: _Command) -> list[Event] | None:
        """Run a pass as one of the team, in a process of its own."""
        self._moment.seed, self._moment.passes = command.moment.seed, command.moment.passes
        self.trace = Trace() if command.traced else None
        if command.fresh:
            self._aim(command.fresh)
        segments = [s for s in self._segments.of(command.what) if s[0][0].apart]
        for number, segment in enumerate(segments):
            if number:
                member.meet()
            self._run_segment(segment, member.rank, command.what.way)
        return None if self.trace is None else self.trace.events

    def close(self) -> None:
        """End the processes; a next pass makes new ones, of the program as it then is."""
        if self._team is not None:
            self._team.close()
            self._team = None

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

    def _aim(self, fresh: Sequence[bool]) -> None:
        """Let the part that starts a param's sum be written where the sum belongs."""
        for gradient in self.program.gradients:
            if gradient.parts[-1].array is not None:
                continue
            target = self._diffs[gradient.param]
            if not fresh[gradient.param]:
                if gradient.param not in self._spare:
                    self.close()  # the others do not know the new array
                    self._spare[gradient.param] = zeros_beside(target)
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

        if shards > 1 and sum(sizes) >= _WORTH_SHARING:
            workers(shards).run([partial(add, group) for group in groups])
        else:
            for group in groups:
                add(group)

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


def worth_processes(net: Net) -> bool:
    """Whether a pass is so long that processes gain more than their meetings cost."""
    return net.macs >= _WORTH_PROCESSES


def _blas_threads(program: Program) -> int:
    """Threads that the shards leave idle, where a pass has work for them.

    Two threads on products of a millisecond or less gain nothing, and where another program
    has the second core, each waits for the other.
    """
    idle = program.options.shards // program.lanes
    return max(1, idle) if program.net.macs >= _WORTH_THREADS else 1
