"""`netdef train`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from netdef.cli.command import Command
from netdef.cli.extras import attended, extra_options
from netdef.cli.options import run_options, split_commas, state_options, weights_option

if TYPE_CHECKING:
    from netdef.cli.progress.display import About, Display
    from netdef.run.progress import Event
    from netdef.run.solver import Solver

_EFFECTS = click.Choice(["stop", "snapshot", "none"])


@click.command(cls=Command, short_help="Train a net.")
@click.argument("files", nargs=-1, required=True, metavar="[MODEL] SOLVER")
@weights_option
@click.option("--resume", metavar="STATE", help="Go on from a .solverstate or .solverstate.h5.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field of the solver, or of the net as net.FIELD; may be repeated.",
)
@click.option("--max-iter", type=click.IntRange(min=0), metavar="N", help="Iterations in all.")
@click.option(
    "--out", metavar="DIR", help="Folder for snapshots, in place of that of snapshot_prefix."
)
@state_options("train")
@run_options
@click.option(
    "--log-format",
    type=click.Choice(["pretty", "caffe", "jsonl"]),
    default="pretty",
    show_default=True,
    help="pretty: a live display in a terminal, else lines; caffe: as parse_log.py reads them; "
    "jsonl: one JSON object a line.",
)
@click.option(
    "--sigint-effect", type=_EFFECTS, default="stop", show_default=True, help="Of Ctrl-C."
)
@click.option(
    "--sighup-effect", type=_EFFECTS, default="snapshot", show_default=True, help="Of SIGHUP."
)
@extra_options
@click.option("--profile", metavar="FILE", help="Write a trace for chrome://tracing or Perfetto.")
@click.pass_context
def train(
    ctx: click.Context,
    files: tuple[str, ...],
    weights: tuple[str, ...],
    resume: str | None,
    settings: tuple[str, ...],
    max_iter: int | None,
    out: str | None,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
    seed: int | None,
    threads: int | None,
    log_format: str,
    sigint_effect: str,
    sighup_effect: str,
    profile: str | None,
) -> None:
    """Train a net.

      netdef train model.prototxt solver.prototxt
      netdef train solver.prototxt                  (where it names its net)
      netdef train solver.prototxt --resume snapshots/lenet_iter_500.solverstate
      netdef train model.prototxt solver.prototxt --weights pretrained.caffemodel
      netdef train solver.prototxt --set base_lr=0.001 --set 'stepvalue=[500, 800]'
      netdef train solver.prototxt --set 'net.layer[ip1].inner_product_param.num_output=64'

    Ctrl-C finishes the iteration, writes a snapshot and stops (exit status 130); a second one
    quits at once. SIGHUP writes a snapshot and goes on; SIGTERM writes one and stops (143).
    """
    from netdef.cli.files import model_and_solver

    if weights and resume:
        raise click.UsageError(
            "--weights starts a new training and --resume goes on with an old one: give one of them"
        )
    model, solver_path = model_and_solver(files, "train")
    given = [*settings, *_state_settings(phase, level, stages)]
    if max_iter is not None:
        given.append(f"max_iter={max_iter}")
    solver = _load(
        model,
        solver_path,
        given,
        split_commas(weights),
        resume,
        out=out,
        seed=seed,
        threads=threads,
    )
    with attended(ctx, solver), _profiled(solver, profile):
        status = _run(solver, resume, log_format, sigint_effect, sighup_effect)
    ctx.exit(status)


def _state_settings(phase: str | None, level: int, stages: tuple[str, ...]) -> list[str]:
    """Phase, level and stages as fields of the solver, where they change the train net."""
    found = [f"train_state.phase={phase.upper()}"] if phase else []
    found += [f"train_state.level={level}"] if level else []
    names = [name for stage in stages for name in stage.split(",") if name]
    return found + ([f"train_state.stage={json.dumps(names)}"] if names else [])


def _load(
    model: str | None,
    solver_path: str,
    settings: list[str],
    weights: list[str],
    resume: str | None,
    *,
    out: str | None,
    seed: int | None,
    threads: int | None,
) -> Solver:
    """The solver, with what there is to say about its files said."""
    from netdef.api.loading import load_solver
    from netdef.api.scores import empty_inputs, unmatched
    from netdef.cli.terminal import print_report

    # the solver's own `weights` are for a beginning, as in Caffe
    wanted = weights or ([] if resume else None)
    solver = load_solver(
        solver_path,
        model,
        settings=settings,
        weights=wanted,
        keep="outputs",
        out=out,
        seed=seed,
        threads=threads,
    )
    for problem in (*empty_inputs(solver.net), *unmatched(solver.copied, solver.net)):
        solver.report.add(problem)
    solver.report.raise_if_errors()
    print_report(solver.report)
    return solver


@contextmanager
def _profiled(solver: Solver, path: str | None) -> Iterator[None]:
    """Note when each step of the train net runs, and write it at the end."""
    if path is None:
        yield
        return
    from netdef.run.trace import Trace

    trace = solver.net.trace = Trace()
    try:
        yield
    finally:
        solver.net.trace = None
        trace.write(path, solver.net.program)


def _run(solver: Solver, resume: str | None, log_format: str, sigint: str, sighup: str) -> int:
    """Train with a display and with signals; returns the exit status."""
    from netdef.cli.progress.display import About
    from netdef.cli.signals import Signals
    from netdef.cli.terminal import overflow_unsaid
    from netdef.run.progress import Snapshotted

    snapshotted = -1

    def watch(event: Event) -> None:
        nonlocal snapshotted
        if isinstance(event, Snapshotted):
            snapshotted = event.iteration

    solver.add_listener(watch)
    with _display(log_format, About.of(solver)) as display:
        solver.add_listener(_Unbreakable(display))
        with Signals(solver, sigint, sighup, display.say) as signals, overflow_unsaid():
            try:
                solver.solve(resume)
                if signals.stopped_by is not None and snapshotted != solver.iter:
                    solver.snapshot()  # the signal came between the last look at it and the end
            except KeyboardInterrupt:
                return signals.exit_status or 130
    return signals.exit_status


def _display(log_format: str, about: About) -> Display:
    from netdef.cli import terminal

    if log_format == "caffe":
        from netdef.cli.progress.caffe import CaffeLog

        return CaffeLog(about)
    if log_format == "jsonl":
        from netdef.cli.progress.jsonl import JsonLines

        return JsonLines(about)
    if terminal.is_terminal():
        from netdef.cli.progress.live import Live

        return Live(about)
    from netdef.cli.progress.plain import Plain

    return Plain(about)


class _Unbreakable:
    """A listener whose output may end before the training does: no run is lost for its log."""

    def __init__(self, display: Display) -> None:
        self._display: Display | None = display

    def __call__(self, event: Event) -> None:
        if self._display is None:
            return
        try:
            self._display(event)
            sys.stdout.flush()
        except OSError:
            from netdef.cli.terminal import silence_stdout

            self._display = None
            silence_stdout()
