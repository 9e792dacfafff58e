"""`netdef draw`."""

from __future__ import annotations

from pathlib import Path

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import allow_unknown_option, input_shape_option, state_options

# Those of netdef.view, which takes longer to import than this file; a test compares them.
FORMATS = ("auto", "rails", "boxes", "ascii", "dot", "mermaid", "svg", "html", "json")
_SUFFIXES = {
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".json": "json",
}
_FOR_PEOPLE = ("auto", "rails", "boxes", "ascii")


@click.command(cls=Command, short_help="Draw a net as a diagram in the terminal.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL [MODEL2]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write to a file; .svg, .html, .dot, .mmd and .json choose the format.",
)
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the drawing.")
@click.option(
    "--expand", multiple=True, metavar="NAME", help="Show a folded block in full; `all` for all."
)
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show N parts of names: with 1, `block/conv` and `block/pool` are one row.",
)
@click.option("--from", "start", multiple=True, metavar="LAYER", help="Only what depends on it.")
@click.option("--to", "end", multiple=True, metavar="LAYER", help="Only what it depends on.")
@click.option(
    "--around", multiple=True, metavar="LAYER", help="Only what is at most two wires away."
)
@click.option("--pager/--no-pager", default=True, help="Page long drawings in a terminal.")
@input_shape_option
@allow_unknown_option
@state_options("test, or train where only that has data")
@click.pass_context
def draw(
    ctx: click.Context,
    *,
    models: tuple[str, ...],
    form: str,
    output: str | None,
    width: int | None,
    expand: tuple[str, ...],
    depth: int | None,
    start: tuple[str, ...],
    end: tuple[str, ...],
    around: tuple[str, ...],
    pager: bool,
    input_shapes: dict[str, tuple[int, ...]],
    allow_unknown: bool,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Draw a net as a diagram in the terminal.

    A net with mistakes is drawn too, with the mistakes at their layers. Two nets are drawn as
    one, with + for what the second adds, - for what it lacks, ~ for what is not alike.

      netdef draw model.prototxt
      netdef draw model.prototxt --phase train --around loss
      netdef draw model.prototxt -o model.html        (to zoom, search and fold)
      netdef draw before.prototxt after.prototxt
    """
    from netdef.api import draw as drawing
    from netdef.cli.looking import finish
    from netdef.cli.pager import show
    from netdef.diag import Report

    if len(models) > 2:
        ctx.fail("draw takes one net, or two to compare")
    if output is not None and form == "auto":
        form = _SUFFIXES.get(Path(output).suffix.lower(), "auto")
    report = Report()
    try:
        text = drawing(
            *models,
            phase=phase,
            level=level,
            stages=stages,
            format=form,
            width=width or terminal.columns(),
            color=output is None and terminal.colored(),
            unicode=output is not None or terminal.unicode(),
            expand=expand,
            depth=depth,
            start=start,
            end=end,
            around=around,
            input_shapes=input_shapes,
            allow_unknown=allow_unknown,
            report=report,
        )
    except LookupError as error:
        ctx.fail(str(error.args[0]))
    if output is not None:
        try:
            Path(output).write_text(text, "utf-8")
        except OSError as error:
            raise click.FileError(output, error.strerror or str(error)) from None
    else:
        show(text, pager=pager and form in _FOR_PEOPLE)
    finish(ctx, report)
