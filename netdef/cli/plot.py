"""`netdef plot`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command


@click.command(cls=Command, short_help="Plot the curves of one or more trainings.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--out", "-o", metavar="FILE", help="Write an image: .png, .svg or .pdf.")
@click.option("--layers", is_flag=True, help="Also a curve for every layer.")
def plot(*, runs: tuple[str, ...], out: str | None, layers: bool) -> None:
    """Plot the curves of one or more trainings.

    A RUN is a file of `netdef train --metrics`, a log of `netdef train` in any of its formats, a
    log of Caffe, or a folder with one of these: loss, scores, rate, and of a watched training the
    gradients by layer. A training that still runs can be plotted as well.

      netdef plot run.jsonl
      netdef plot before.jsonl after.jsonl          (side by side)
      netdef plot caffe.log --out curves.png
    """
    from netdef.api.checks import plot as draw

    text = draw(
        runs,
        out=out,
        columns=terminal.columns(),
        unicode=terminal.unicode(),
        all_layers=layers,
    )
    click.echo(text, nl=False)
