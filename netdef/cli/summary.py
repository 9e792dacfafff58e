"""`netdef summary`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import allow_unknown_option, input_shape_option, state_options


@click.command(cls=Command, short_help="List a net's layers: shapes, parameters, work, memory.")
@click.argument("model")
@click.option("--json", "form", flag_value="json", help="Write JSON.")
@click.option("--csv", "form", flag_value="csv", help="Write comma-separated values.")
@click.option("--receptive", is_flag=True, help="Show receptive fields.")
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the table.")
@click.option("--pager/--no-pager", default=True, help="Page long tables in a terminal.")
@input_shape_option
@allow_unknown_option
@state_options("test, or train where only that has data")
@click.pass_context
def summary(
    ctx: click.Context,
    *,
    model: str,
    form: str | None,
    receptive: bool,
    width: int | None,
    pager: bool,
    input_shapes: dict[str, tuple[int, ...]],
    allow_unknown: bool,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """List a net's layers: shapes, parameters, work, memory.

    MACs are multiply-accumulates of one forward pass of the whole batch; `data` and `diff` are
    the memory of activations and of their gradients at that batch.

      netdef summary model.prototxt
      netdef summary model.prototxt --phase train --receptive
      netdef summary model.prototxt --csv > layers.csv
    """
    from netdef.api import summary as table
    from netdef.cli.looking import finish
    from netdef.cli.pager import show
    from netdef.diag import Report

    report = Report()
    text = table(
        model,
        phase=phase,
        level=level,
        stages=stages,
        format=form or "table",
        width=width or terminal.columns(),
        color=terminal.colored(),
        unicode=terminal.unicode(),
        receptive=receptive,
        input_shapes=input_shapes,
        allow_unknown=allow_unknown,
        report=report,
    )
    show(text, pager=pager and form is None)
    finish(ctx, report)
