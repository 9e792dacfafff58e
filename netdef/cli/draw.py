"""`netdef draw`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import state_options

# Those of netdef.view, which takes longer to import than this file; a test compares them.
FORMATS = ("auto", "rails", "boxes", "ascii", "dot", "mermaid", "svg", "html", "json")


@click.command(cls=Command, short_help="Draw a net as a diagram in the terminal.")
@click.argument("model")
@click.option("--format", "form", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the drawing.")
@click.option(
    "--expand", multiple=True, metavar="NAME", help="Show a folded block in full; `all` for all."
)
@state_options("test, or train where only that has data")
@click.pass_context
def draw(
    ctx: click.Context,
    model: str,
    form: str,
    width: int | None,
    expand: tuple[str, ...],
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Draw a net as a diagram in the terminal.

    A net with mistakes is drawn too, with the mistakes at their layers.

      netdef draw model.prototxt
      netdef draw model.prototxt --phase train
      netdef draw model.prototxt --format dot | dot -Tsvg > model.svg
    """
    from netdef.api import draw as drawing
    from netdef.cli.looking import finish
    from netdef.diag import Report

    report = Report()
    text = drawing(
        model,
        phase=phase,
        level=level,
        stages=stages,
        format=form,
        width=width or terminal.columns(),
        color=terminal.colored(),
        unicode=terminal.unicode(),
        expand=expand,
        report=report,
    )
    click.echo(text, nl=not text.endswith("\n"), color=True)
    finish(ctx, report)
