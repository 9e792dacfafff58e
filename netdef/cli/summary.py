"""`netdef summary`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import state_options


@click.command(cls=Command, short_help="List a net's layers: shapes, parameters, work, memory.")
@click.argument("model")
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the table.")
@state_options("test, or train where only that has data")
@click.pass_context
def summary(
    ctx: click.Context,
    model: str,
    width: int | None,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """List a net's layers: shapes, parameters, work, memory.

    MACs are multiply-accumulates of one forward pass of the whole batch.

      netdef summary model.prototxt
      netdef summary model.prototxt --phase train
    """
    from netdef.api import summary as table
    from netdef.cli.looking import finish
    from netdef.diag import Report

    report = Report()
    text = table(
        model,
        phase=phase,
        level=level,
        stages=stages,
        width=width or terminal.columns(),
        color=terminal.colored(),
        report=report,
    )
    click.echo(text, nl=False, color=True)
    finish(ctx, report)
