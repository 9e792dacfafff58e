"""`netdef gradcheck`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.options import state_options, weights_option


@click.command(cls=Command, short_help="Compare each layer's gradients with numbers.")
@click.argument("model")
@weights_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@state_options("train")
@click.pass_context
def gradcheck(
    ctx: click.Context,
    *,
    model: str,
    weights: tuple[str, ...],
    seed: int,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Compare each layer's gradients with numbers.

    Every layer runs in float64 on what the net feeds it; the change of its tops along a random
    direction is compared with what backward says. Directions on which a kink lies (a ReLU's 0,
    two equal values of a maximum) are given up for others. Useful for layers of your own.

      netdef gradcheck model.prototxt

    Exit status: 0 all right; 1 a gradient is wrong.
    """
    from netdef.api.checks import gradcheck as check
    from netdef.cli.options import split_commas

    wrong = 0
    for found in check(
        model, split_commas(weights), seed=seed, phase=phase or "train", level=level, stages=stages
    ):
        wrong += found.verdict == "wrong"
        error = "every direction has a kink" if found.verdict == "kinks" else f"{found.error:.1e}"
        kinks = f"  {found.kinks} kinks passed by" if found.kinks else ""
        place = f"  {found.span}" if found.verdict == "wrong" and found.span else ""
        click.echo(
            f"{found.verdict:<6} {found.layer:<16} {found.type:<16} {found.target:<20} "
            f"{error}{kinks}{place}".rstrip()
        )
    click.echo(f"{wrong} wrong" if wrong else "all gradients agree")
    ctx.exit(1 if wrong else 0)
