"""`netdef plan`."""

from __future__ import annotations

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import autotune_option, fast_option, state_options


@click.command(cls=Command, short_help="Show the steps of a net as they will run.")
@click.argument("model")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads to plan for.")
@click.option(
    "--keep",
    type=click.Choice(["outputs", "all"]),
    default="outputs",
    show_default=True,
    help="Blobs that must be there afterwards.",
)
@click.option("--exact", is_flag=True, help="Only arithmetic that keeps Caffe's digits.")
@autotune_option
@fast_option
@click.option("--width", type=click.IntRange(min=40), metavar="N", help="Columns of the table.")
@state_options("train, or test where only that has data")
def plan(
    model: str,
    threads: int | None,
    keep: str,
    exact: bool,  # noqa: FBT001  # click passes options by name
    width: int | None,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Show the steps of a net as they will run.

    One row a step: the layout it computes in and its shards, the algorithm, what is fused into
    it or lies in another's memory, and what it computes backward. Rows without a number need no
    step of their own.

      netdef plan model.prototxt
      netdef plan model.prototxt --phase test --threads 1
    """
    from netdef.api.steps import plan as table

    text = table(
        model,
        phase=phase,
        level=level,
        stages=stages,
        threads=threads,
        keep=keep,
        exact=exact,
        width=width or terminal.columns(),
        color=terminal.colored(),
    )
    click.echo(text, nl=False, color=True)
