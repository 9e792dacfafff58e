"""`netdef deploy`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import input_shape_option


@click.command(cls=Command, short_help="Derive the net for deploying from one for training.")
@click.argument("model")
@click.argument("out", required=False, metavar="[OUT]")
@input_shape_option
@click.option("--level", default=0, metavar="N", help="Level for min_level and max_level rules.")
@click.option("--stage", "stages", multiple=True, metavar="NAME", help="A stage; may be repeated.")
@click.pass_context
def deploy(
    ctx: click.Context,
    model: str,
    out: str | None,
    input_shapes: dict[str, tuple[int, ...]],
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Derive the net for deploying from one for training.

    Data layers become Input layers with batches of one, losses the Softmax or Sigmoid inside
    them; labels, scores, rules, rates and fillers go. Layer names stay, so that the trained
    weights fit. Without OUT the net goes to stdout.

      netdef deploy model.prototxt deploy.prototxt
      netdef deploy model.prototxt --input-shape data=1,3,224,224

    Exit status: 0 done; 1 the net has mistakes, or an input's shape is not known.
    """
    from netdef.api import deploy as derive
    from netdef.api.texts import write_bytes
    from netdef.diag import Report

    report = Report()
    text = derive(model, input_shapes=input_shapes, level=level, stages=stages, report=report)
    if out is None or out == "-":
        click.echo(text, nl=False)
    else:
        write_bytes(out, text.encode("utf-8", "surrogateescape"))
    terminal.print_report(report)
    ctx.exit(0 if report.ok else 1)
