"""Options of `netdef train` for what goes along with a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from netdef.run.solver import Solver

F = TypeVar("F", bound=Callable[..., Any])
_KEY = "netdef.extras"


def extra_options(command: F) -> F:
    """`--watch`, `--tensorboard`, `--metrics`, `--overfit`, `--dry-run`."""

    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value:
            ctx.meta.setdefault(_KEY, {})[param.name] = value

    for option in reversed(
        (
            click.option(
                "--watch",
                is_flag=False,
                flag_value="100",
                type=click.IntRange(min=1),
                metavar="[N]",
                expose_value=False,
                callback=keep,
                help="Look at all layers every N iterations (100), at the loss, the gradients "
                "and the weights in each, and warn; at a few percent of the time, told at the end. "
                "NaN stops the training before a snapshot holds it. Before file names write "
                "--watch=100.",
            ),
            click.option(
                "--tensorboard",
                metavar="DIR",
                expose_value=False,
                callback=keep,
                help="Write curves and histograms for TensorBoard; watches, too.",
            ),
            click.option(
                "--metrics",
                metavar="FILE",
                expose_value=False,
                callback=keep,
                help="Write all numbers as .jsonl or .csv, for `netdef plot` and programs.",
            ),
            click.option(
                "--overfit",
                type=click.IntRange(min=1),
                metavar="N",
                expose_value=False,
                callback=keep,
                help="Train on the same N batches: a sound net learns them by heart.",
            ),
            click.option(
                "--dry-run",
                is_flag=True,
                expose_value=False,
                callback=keep,
                help="One training and one test iteration, and nothing written.",
            ),
        )
    ):
        command = option(command)
    return command


@contextmanager
def attended(ctx: click.Context, solver: Solver) -> Iterator[None]:
    """Let what the options ask for go along with a training."""
    from netdef.api.attending import Extras
    from netdef.api.attending import attended as attend

    with attend(solver, Extras(**ctx.meta.get(_KEY, {}))) as attendance:
        yield
    for note in attendance.notes:
        click.echo(note, err=True)
