"""What the commands that make sets have in common: options, the progress bar, the last words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netdef.cli import terminal

if TYPE_CHECKING:
    from netdef.api.datasets import Made

F = TypeVar("F", bound=Callable[..., Any])


def making_options(command: F) -> F:
    """`--backend`, `--shuffle`, `--seed`, `--replace`."""
    for option in (
        click.option("--replace", is_flag=True, help="Replace a set that is there already."),
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=1,
            show_default=True,
            metavar="N",
            help="Of the random order.",
        ),
        click.option("--shuffle", is_flag=True, help="Write the records in random order."),
        click.option(
            "--backend",
            type=click.Choice(["lmdb", "leveldb", "hdf5"], case_sensitive=False),
            help="What to write. [default: hdf5 where OUT ends in .h5, else lmdb]",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A bar on stderr while a set is gone through; None where stderr is no terminal.

    Args:
        what: is done, `writing train_lmdb`.
    """
    if not terminal.is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield show


@contextmanager
def making(out: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A bar while a set is written, and what to do where that is interrupted."""
    try:
        with progress_bar(f"writing {out}") as show:
            yield show
    except KeyboardInterrupt:
        click.echo(f"{out} is not whole: the same command goes on where this one was", err=True)
        raise


def print_made(made: Made) -> None:
    """Say what was made."""
    for built in made.sets:
        names = ", ".join(str(path) for path in built.files)
        records = "1 record" if built.records == 1 else f"{built.records:,} records"
        more = f", {built.resumed:,} of them from before" if built.resumed else ""
        click.echo(f"{names}: {records}{more}")
        for name, problem in built.skipped.items():
            click.echo(f"  left out {name}: {problem}", err=True)
    if made.labels is not None:
        click.echo(f"{made.labels}: {len(made.classes)} classes: {_some(made.classes)}")


def read_size(text: str | None) -> tuple[int, int] | None:
    """`256` is (256, 256), `240x320` is height 240 and width 320.

    Raises:
        click.UsageError: it is neither.
    """
    if text is None:
        return None
    parts = text.lower().replace("×", "x").split("x")
    if not 1 <= len(parts) <= 2 or not all(p.isdecimal() and int(p) > 0 for p in parts):
        raise click.UsageError(f"a size is 256, or 240x320 (height and width), not `{text}`")
    return int(parts[0]), int(parts[-1])


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
