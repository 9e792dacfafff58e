"""`netdef time`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import run_options, state_options

if TYPE_CHECKING:
    from netdef.api.timing import Times


@click.command(cls=Command, short_help="Measure forward and backward passes, by layer and whole.")
@click.argument("model")
@click.option(
    "--iterations",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Passes to take the median of.",
)
@click.option("--exact", is_flag=True, help="Only arithmetic that keeps Caffe's digits.")
@click.option("--profile", metavar="FILE", help="Write a trace for chrome://tracing or Perfetto.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@state_options("train, or test where only that has data")
@run_options
def time(
    model: str,
    iterations: int,
    exact: bool,  # noqa: FBT001  click's signature
    profile: str | None,
    as_json: bool,  # noqa: FBT001  click's signature
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
    seed: int | None,
    threads: int | None,
) -> None:
    """Measure forward and backward passes, by layer and whole.

    Steps are timed as they run, fused and side by side as `netdef plan` shows them; the whole
    is measured by itself. GFLOP/s counts two operations a multiply-add and stands beside the
    machine's own matrix product: far below it is the next thing to make faster, and above it an
    algorithm needs fewer multiplications than the formula.

      netdef time model.prototxt
      netdef time model.prototxt --threads 1 --iterations 100
      netdef time model.prototxt --profile trace.json
    """
    from netdef.api import time as measure

    with terminal.overflow_unsaid():
        found = measure(
            model,
            iterations=iterations,
            phase=phase,
            level=level,
            stages=stages,
            seed=seed,
            threads=threads,
            exact=exact,
            profile=profile,
        )
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(asdict(found), indent=2))
    else:
        _show(found)


def _show(found: Times) -> None:
    from netdef.view import palette, table

    columns = {
        "name": table.Column("layer", least=10),
        "type": table.Column("type", least=8),
        "how": table.Column("how", least=12),
        "forward": table.Column("forward ms", right=True),
        "speed": table.Column("GFLOP/s", right=True),
        "backward": table.Column("backward ms", right=True),
        "back_speed": table.Column("GFLOP/s", right=True),
        "share": table.Column("%", right=True),
    }
    total = found.forward + (found.backward or 0.0)
    rows: list[dict[str, str]] = [
        {
            "name": " " + step.name,
            "type": step.type,
            "how": step.how,
            "forward": _ms(step.forward),
            "backward": _ms(step.backward),
            "speed": _speed(step.macs, step.forward),
            "back_speed": _speed(step.macs * step.gradients, step.backward),
            "share": f"{100 * ((step.forward or 0) + (step.backward or 0)) / total:.0f}",
        }
        for step in found.steps
    ]
    gradients = sum(step.macs * step.gradients for step in found.steps)
    rows.append(
        {
            "name": " whole",
            "forward": _ms(found.forward),
            "backward": _ms(found.backward),
            "speed": _speed(found.macs, found.forward),
            "back_speed": _speed(gradients, found.backward),
            "style": "title",
        }
    )
    about = f" {found.name or 'net'} ({found.state}), batch {found.batch}, "
    about += f"{found.threads} thread{'s' if found.threads > 1 else ''}"
    about += f", median of {found.iterations}; sgemm {found.sgemm:.0f} GFLOP/s"
    lines: list[Any] = [[(about, "title")]]
    lines += table.lines(columns, rows, terminal.columns(), ("how", "type", "back_speed", "speed"))
    per_second = f", {1000 * found.batch / total:,.0f} images a second" if total else ""
    lines.append([(f" {total:.3f} ms a pass{per_second}", "head")])
    click.echo(palette.join(lines, color=terminal.colored()), nl=False, color=True)
    if found.backward is None:
        click.echo(" no backward pass: the net has no loss, or nothing in it learns")


def _ms(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds:.3f}"


def _speed(macs: int, milliseconds: float | None) -> str:
    return f"{2 * macs / milliseconds / 1e6:.1f}" if macs and milliseconds else ""
