"""Walks a program's steps forward and backward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from netdef.data.errors import DataError
from netdef.diag import BottomError, FieldError, NetdefError, Problem
from netdef.graph.problems import complaint, name_span
from netdef.layers.base import Array, Backward, Forward
from netdef.plan import ParamGradient, Program, Step
from netdef.run.threads import hold_blas_to_one_thread, workers


class Executor:
    """Runs one program, again and again.

    Consecutive sharded steps are one segment: each shard's thread runs through it without
    waiting for the others. Threads meet where a step works on the whole batch.

    Args:
        program: the plan's result.
        diffs: for each of the net's params its gradient array, in Caffe's shape.
    """

    def __init__(self, program: Program, diffs: Sequence[Array]) -> None:
        self.program = program
        self._diffs = diffs
        self._spare: dict[int, Array] = {}
        if program.shards > 1:
            hold_blas_to_one_thread()

    def forward(
        self, first: int = 0, last: int | None = None, *, skip_sources: bool = False
    ) -> None:
        """Run the steps of nodes `first` to `last` (inclusive) forward.

        Args:
            first: the first node to run.
            last: the last node to run.
            skip_sources: keep what the layers without bottoms gave before.
        """
        steps = [
            (i, step)
            for i, step in self._between(first, last)
            if not step.view and (step.bottoms or not skip_sources)
        ]
        self._run(steps, _forward)

    def backward(self, fresh: Sequence[bool], first: int = 0, last: int | None = None) -> None:
        """Run the steps of nodes `last` down to `first` backward.

        Args:
            fresh: for each param whether its gradient is set, not added to.
            first: the last node to run.
            last: the first node to run.
        """
        for value in self.program.values:
            if value.seed:
                for diff in value.diffs:
                    diff.fill(value.seed)
        for gradient in self.program.gradients:
            self._aim(gradient, fresh[gradient.param])
        steps = [
            (i, step)
            for i, step in self._between(first, last)
            if step.backward and not step.view_diff
        ]
        self._run(reversed(steps), _backward)
        for gradient in self.program.gradients:
            self._gather(gradient, fresh[gradient.param])

    def _between(self, first: int, last: int | None) -> Iterator[tuple[int, Step]]:
        for index, step in enumerate(self.program.steps):
            if step.node >= first and (last is None or step.node <= last):
                yield index, step

    def _run(self, steps: Iterable[tuple[int, Step]], kind: Any) -> None:
        shards = self.program.shards
        for sharded, group in groupby(steps, key=lambda item: item[1].sharded and shards > 1):
            segment = list(group)
            if sharded:
                workers(shards).run(
                    [partial(self._run_segment, segment, s, kind) for s in range(shards)]
                )
            else:
                self._run_segment(segment, 0, kind)

    def _run_segment(self, segment: list[tuple[int, Step]], shard: int, kind: Any) -> None:
        step = None
        try:
            for _, step in segment:
                kind(step, shard)
        except (BottomError, FieldError, DataError) as error:
            assert step is not None
            raise NetdefError(self._placed(step, error)) from error

    def _placed(self, step: Step, error: BottomError | FieldError | DataError) -> Problem:
        net = self.program.net
        node = net.nodes[step.node]
        if isinstance(error, DataError):
            return replace(error.problem(), span=name_span(net, node))
        return complaint(net, node, error)

    def _aim(self, gradient: ParamGradient, fresh: bool) -> None:
        """Let a gradient of one part be written where it belongs."""
        if gradient.parts[0][1] is not None:
            return
        param = gradient.param
        target = self._diffs[param]
        if not fresh:
            if param not in self._spare:
                self._spare[param] = np.zeros_like(target)
            target = self._spare[param]
        run, position = gradient.targets[0]
        run.param_diffs[position] = target

    def _gather(self, gradient: ParamGradient, fresh: bool) -> None:
        """Add up the parts of a param's gradient, the last use first as in Caffe."""
        total = self._diffs[gradient.param]
        if gradient.parts[0][1] is None:
            if not fresh:
                np.add(total, self._spare[gradient.param], out=total)
            return
        for scale, part in reversed(gradient.parts):
            assert part is not None
            if scale != 1:
                np.multiply(part, part.dtype.type(scale), out=part)
            if fresh:
                np.copyto(total, part)
                fresh = False
            else:
                np.add(total, part, out=total)


def _forward(step: Step, shard: int) -> None:
    run: Forward[Any] = step.forward_runs[shard]
    if step.layer is None:
        np.copyto(run.tops[0], run.bottoms[0])
    else:
        step.layer.forward(run)


def _backward(step: Step, shard: int) -> None:
    run: Backward[Any] = step.backward_runs[shard]
    if step.layer is None or step.view:
        adds = step.adds[0]
        for target, diff in zip(run.bottom_diffs, run.top_diffs, strict=True):
            assert target is not None
            if adds:
                np.add(target, diff, out=target)
            else:
                np.copyto(target, diff)
            adds = True
        return
    step.layer.backward(run)
    for scratch, target in step.adders[shard]:
        np.add(target, scratch, out=target)
