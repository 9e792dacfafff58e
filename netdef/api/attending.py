"""What goes along with a training: watching, metrics, a few batches only, a dry run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netdef.run.progress import Event, Iteration

if TYPE_CHECKING:
    from netdef.doctor.record.recorder import Recorder
    from netdef.doctor.watching import Look
    from netdef.run.solver import Solver

StrPath = str | os.PathLike[str]
_LEARNED = 0.1  # of the first loss: a net that can learn a few batches by heart gets below


@dataclass(frozen=True, slots=True)
class Extras:
    """What goes along with a training.

    Attributes:
        watch: iterations from one look at the layers to the next; 0 for none.
        tensorboard: folder for TensorBoard's event files; "" for none.
        metrics: file for metrics, .jsonl or .csv; "" for none.
        overfit: batches that are shown again and again; 0 for all of the data.
        dry_run: one training and one test iteration, and nothing written.
    """

    watch: int = 0
    tensorboard: StrPath = ""
    metrics: StrPath = ""
    overfit: int = 0
    dry_run: bool = False


@dataclass
class Attendance:
    """What there is to say after a training."""

    notes: list[str] = field(default_factory=list)


@contextmanager
def attended(solver: Solver, extras: Extras) -> Iterator[Attendance]:
    """Let things go along with a training for as long as the block lasts.

    Args:
        solver: to be trained in the block; a dry run and overfitting change its settings.
        extras: which.

    Yields:
        What there is to say once the block has ended.

    Raises:
        NetdefError: metrics cannot be written.
    """
    found = Attendance()
    with ExitStack() as stack:
        if extras.dry_run:
            _dry(solver)
        if extras.overfit:
            stack.callback(_judge, _overfit(solver, extras.overfit), extras.overfit, found)
        if solver.param.debug_info:
            from netdef.doctor.debug_info import DebugInfo

            DebugInfo(solver)
        recorders = list(_recorders(solver, extras))
        for recorder in recorders:
            stack.callback(recorder.close)
            solver.add_listener(recorder.event)
        every = extras.watch
        if extras.tensorboard and not every:
            from netdef.doctor.watching import EVERY

            every = EVERY
        if every:
            from netdef.doctor.watching import Watcher

            def see(look: Look) -> None:
                for recorder in recorders:
                    recorder.look(look)

            watcher = Watcher(solver, every, see)
            stack.callback(lambda: found.notes.append(watcher.summary))
        yield found


def _recorders(solver: Solver, extras: Extras) -> Iterator[Recorder]:
    if extras.tensorboard:
        from netdef.doctor.record.recorder import TensorBoard

        yield TensorBoard(extras.tensorboard, solver.net)
    if extras.metrics:
        from netdef.doctor.record.recorder import MetricsFile

        yield MetricsFile(extras.metrics)


def _dry(solver: Solver) -> None:
    param = solver.param
    param.max_iter = solver.iter + 1
    param.display = 1
    param.test_initialization = True
    if param.test_interval:
        param.test_interval = 1
    for index in range(len(param.test_iter)):
        param.test_iter[index] = 1
    _write_nothing(solver)


def _write_nothing(solver: Solver) -> None:
    param = solver.param
    param.snapshot = 0
    param.snapshot_after_train = False
    param.keep_best = False


def _overfit(solver: Solver, batches: int) -> list[float]:
    """Show the same batches again and again; the losses are noted in the list."""
    from netdef.run.moment import repeat_batches

    repeat_batches(solver.net, batches)
    _write_nothing(solver)
    solver.param.test_interval = 0
    losses: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, Iteration):
            losses.append(event.loss)

    solver.add_listener(listen)
    return losses


def _judge(losses: list[float], batches: int, found: Attendance) -> None:
    if not losses:
        return
    last = losses[-batches:]
    now, first = sum(last) / len(last), sum(losses[:batches]) / len(losses[:batches])
    what = "one batch" if batches == 1 else f"{batches} batches"
    if now <= _LEARNED * first:
        found.notes.append(
            f"the net learns {what} by heart: the loss goes from {first:.4g} to {now:.4g}"
        )
    else:
        found.notes.append(
            f"the net does not learn {what} by heart in {len(losses):,} iterations: the loss goes "
            f"from {first:.4g} to {now:.4g}; `netdef diagnose` looks for the reason"
        )
