"""`netdef states`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command


@click.command(cls=Command, short_help="Show which layers each phase, level and stage has.")
@click.argument("model")
@click.argument("one", required=False, metavar="[STATE")
@click.argument("other", required=False, metavar="[STATE]]")
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the table.")
@click.pass_context
def states(
    ctx: click.Context, model: str, one: str | None, other: str | None, width: int | None
) -> None:
    """Show which layers each phase, level and stage has.

    Without STATE: all states that the layers' include and exclude rules tell apart. With one or
    two: what changes from the first to the second, by default the other phase.

      netdef states model.prototxt
      netdef states model.prototxt train test
      netdef states model.prototxt test test,stage=deploy,level=1
    """
    from netdef.api import states as table
    from netdef.cli.looking import finish
    from netdef.diag import Report

    report = Report()
    try:
        text = table(
            model,
            one,
            other,
            width=width or terminal.columns(),
            color=terminal.colored(),
            unicode=terminal.unicode(),
            report=report,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(text, nl=False, color=True)
    finish(ctx, report)
