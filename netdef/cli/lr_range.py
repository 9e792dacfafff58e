"""`netdef lr-range`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import run_options, split_commas, weights_option


@click.command("lr-range", cls=Command, short_help="Find a learning rate by trying.")
@click.argument("files", nargs=-1, required=True, metavar="[MODEL] SOLVER")
@weights_option
@click.option("--iterations", type=click.IntRange(min=10), default=100, show_default=True)
@click.option("--low", type=float, default=1e-6, show_default=True, help="The first rate.")
@click.option("--high", type=float, default=10.0, show_default=True, help="The last rate.")
@run_options
def lr_range(
    *,
    files: tuple[str, ...],
    weights: tuple[str, ...],
    iterations: int,
    low: float,
    high: float,
    seed: int | None,
    threads: int | None,
) -> None:
    """Find a learning rate by trying.

    The rate rises from iteration to iteration until the loss flies off; the rate to train with
    lies a little below the one where the loss falls fastest. Nothing is written.

      netdef lr-range model.prototxt solver.prototxt
    """
    from netdef.api.checks import lr_range as find
    from netdef.cli.files import model_and_solver
    from netdef.view.curve import curve

    if not 0 < low < high:
        raise click.UsageError("--low must be above 0 and below --high")
    model, solver = model_and_solver(files, "lr-range")
    with terminal.overflow_unsaid():
        found = find(
            solver,
            model,
            weights=split_commas(weights) or None,
            iterations=iterations,
            low=low,
            high=high,
            seed=seed,
            threads=threads,
        )
    cells = min(terminal.columns() - 14, len(found.smoothed))
    count = len(found.smoothed)
    shown = [found.smoothed[c * count // cells] for c in range(cells)]
    for line in curve(shown, unicode=terminal.unicode()):
        click.echo(line)
    click.echo(f"loss at rates from {found.rates[0]:.2g} to {found.rates[-1]:.2g}")
    if found.steepest is not None:
        click.echo(f"falls fastest at {found.steepest:.2g}")
    if found.flown is not None:
        click.echo(f"flies off at {found.flown:.2g}")
    if found.suggested is None:
        click.echo("the loss never falls: `netdef diagnose` looks for the reason")
    else:
        click.echo(f"write `base_lr: {found.suggested:g}`")
