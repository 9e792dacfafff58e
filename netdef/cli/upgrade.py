"""`netdef upgrade`."""

from __future__ import annotations

import sys

import click

from netdef.cli import terminal
from netdef.cli.command import Command


@click.command(cls=Command, short_help="Bring old nets, solvers and models to the current syntax.")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="[OUT]", required=False)
@click.pass_context
def upgrade(ctx: click.Context, source: str, target: str | None) -> None:
    """Bring old nets, solvers and models to the current syntax.

    The syntaxes of 2013 and 2014 (`layers`, V0 and V1), `input` and `input_dim`, the transform
    fields of data layers, BatchNorm's params, `solver_type`; nets inside a solver too. Comments
    stay with their fields, and the text is laid out as `netdef fmt` does. A .caffemodel keeps
    its learned values. OUT may be IN; without OUT a text goes to stdout.

      netdef upgrade old.prototxt model.prototxt
      netdef upgrade old.caffemodel new.caffemodel
      netdef upgrade old.prototxt | diff old.prototxt -
    """
    from netdef.api.texts import is_binary, write_bytes
    from netdef.api.texts import upgrade as bring_up
    from netdef.diag import Report

    if target is None and source != "-" and is_binary(source):
        raise click.UsageError("a binary model does not go to the terminal: name a file for it")
    report = Report()
    stdin = sys.stdin.buffer.read() if source == "-" else None
    found = bring_up("<stdin>" if source == "-" else source, report, stdin)
    if target is None or target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(found.after)
    elif found.changed or target != source:
        write_bytes(target, found.after)
    terminal.print_report(report)
    ctx.exit(0)
