"""`netdef params`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import state_options


@click.command(cls=Command, short_help="List a net's learned blobs: sharers, fillers, rates.")
@click.argument("files", nargs=-1, required=True, metavar="MODEL [SOLVER]")
@click.option("--json", "form", flag_value="json", help="Write JSON.")
@click.option("--csv", "form", flag_value="csv", help="Write comma-separated values.")
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the table.")
@click.option("--pager/--no-pager", default=True, help="Page long tables in a terminal.")
@state_options("train, or test where only that has data")
@click.pass_context
def params(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    form: str | None,
    width: int | None,
    pager: bool,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """List a net's learned blobs: sharers, fillers, rates.

    Each blob stands with the layer that owns it, and below it every further use with its own
    multipliers. With a solver, the rate is what each blob trains at when training begins.

      netdef params model.prototxt
      netdef params model.prototxt solver.prototxt
      netdef params solver.prototxt                 (where it names its net)
    """
    from netdef.api.look import params as table
    from netdef.api.look import train_net_of
    from netdef.cli.files import kind_of, model_and_solver
    from netdef.cli.looking import finish
    from netdef.cli.pager import show
    from netdef.diag import Report
    from netdef.schema.sniff import Kind

    report = Report()
    model, base_lr = files[0], None
    if len(files) > 1 or kind_of(files[0]) is Kind.SOLVER_TEXT:
        named, solver = model_and_solver(files, "params")
        found, base_lr = train_net_of(solver, report, look_for_net=named is None)
        model = named or found
    text = table(
        model,
        base_lr=base_lr,
        phase=phase,
        level=level,
        stages=stages,
        format=form or "table",
        width=width or terminal.columns(),
        color=terminal.colored(),
        unicode=terminal.unicode(),
        report=report,
    )
    show(text, pager=pager and form is None)
    finish(ctx, report)
