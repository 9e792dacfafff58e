"""What would run, without running it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from netdef.api.loading import StrPath, pick_state
from netdef.diag import Report
from netdef.graph import compile_net
from netdef.layers.base import Phase
from netdef.plan import Options, Program, make_plan
from netdef.run.fast import use_fast
from netdef.run.team import use_processes
from netdef.run.threads import thread_count
from netdef.run.tuning import tuner
from netdef.schema.document import read_net
from netdef.view.steps import plan as table

if TYPE_CHECKING:
    from netdef.run.net import Net


def plan(
    net: Net | StrPath,
    *,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    threads: int | None = None,
    keep: str | Iterable[str] = "outputs",
    exact: bool = False,
    fast: bool | None = None,
    width: int | None = None,
    color: bool = False,
) -> str:
    """The steps of a net as they will run: layouts, algorithms, fused layers, memory.

    Args:
        net: a loaded net, whose own plan is shown, or the path of a prototxt.
        phase: of a path's net; None for train, or for test where only that has data.
        level: of a path's net.
        stages: of a path's net.
        threads: to plan for; None for the default.
        keep: "outputs", "all", or names of blobs that must be there afterwards.
        exact: only arithmetic that keeps Caffe's digits.
        fast: compiled kernels; None for where numba is installed, unless NETDEF_FAST is 0.
        width: columns to fit into; None for 80.
        color: use ANSI colours.

    Raises:
        NetdefError: the net has mistakes.
    """
    if isinstance(net, str | os.PathLike):
        count = thread_count(threads)
        program = _plan_file(net, phase, level, stages, count, keep, exact=exact, fast=fast)
    else:
        program = net.program
    return table(program, width=width, color=color)


def _plan_file(
    path: StrPath,
    phase: str | Phase | int | None,
    level: int,
    stages: Iterable[str],
    threads: int,
    keep: str | Iterable[str],
    *,
    exact: bool,
    fast: bool | None,
) -> Program:
    report = Report()
    document = read_net(path, report)
    report.raise_if_errors()
    assert document is not None
    graph = compile_net(document, pick_state(document, phase, level, stages, first="train"), report)
    report.raise_if_errors()
    names = None if keep == "all" else {*([] if isinstance(keep, str) else keep), *graph.outputs}
    kept = None if names is None else frozenset(names)
    options = Options(
        threads,
        kept,
        exact,
        divide=use_processes(),
        fast=use_fast(fast),
        tuner=tuner(),
        holds=True,
    )
    # memory that is never touched is never taken: a plan of a large net costs nothing
    params = [np.empty(param.shape, np.float32) for param in graph.params]
    return make_plan(graph, params, options, lambda _node, _shard: np.random.default_rng)
