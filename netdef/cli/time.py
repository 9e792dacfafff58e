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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@state_options("train, or test where only that has data")
@run_options
def time(
    model: str,
    iterations: int,
    as_json: bool,  # noqa: FBT001  click's signature
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
    seed: int | None,
    threads: int | None,
) -> None:
    """Measure forward and backward passes, by layer and whole.

    Layers are measured one by one; the whole is measured by itself.

      netdef time model.prototxt
      netdef time model.prototxt --threads 1 --iterations 100
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
        "forward": table.Column("forward ms", right=True),
        "backward": table.Column("backward ms", right=True),
        "speed": table.Column("GFLOP/s", right=True),
    }
    rows: list[dict[str, str]] = [
        {
            "name": " " + layer.name,
            "type": layer.type,
            "forward": f"{layer.forward:.3f}",
            "backward": "" if layer.backward is None else f"{layer.backward:.3f}",
            "speed": _speed(layer.macs, layer.forward),
        }
        for layer in found.layers
    ]
    rows.append(
        {
            "name": " whole",
            "forward": f"{found.forward:.3f}",
            "backward": "" if found.backward is None else f"{found.backward:.3f}",
            "speed": _speed(found.macs, found.forward),
            "style": "title",
        }
    )
    about = f" {found.name or 'net'} ({found.state}), batch {found.batch}, "
    about += f"{found.threads} thread{'s' if found.threads > 1 else ''}"
    about += f", median of {found.iterations}"
    lines: list[Any] = [[(about, "title")]]
    lines += table.lines(columns, rows, terminal.columns(), ())
    total = found.forward + (found.backward or 0.0)
    per_second = f", {1000 * found.batch / total:,.0f} images a second" if total else ""
    lines.append([(f" {total:.3f} ms a pass{per_second}", "head")])
    click.echo(palette.join(lines, color=terminal.colored()), nl=False, color=True)
    if found.backward is None:
        click.echo(" no backward pass: the net has no loss, or nothing in it learns")


def _speed(macs: int, milliseconds: float) -> str:
    return f"{2 * macs / milliseconds / 1e6:.1f}" if macs and milliseconds else ""
