"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def state_options(default: str) -> Callable[[F], F]:
    """`--phase`, `--level`, `--stage`.

    Args:
        default: what the help says of the phase where none is given.
    """

    def add(command: F) -> F:
        command = click.option(
            "--stage", "stages", multiple=True, metavar="NAME", help="A stage; may be repeated."
        )(command)
        command = click.option(
            "--level", default=0, metavar="N", help="Level for min_level and max_level rules."
        )(command)
        return click.option(
            "--phase",
            type=click.Choice(["train", "test"], case_sensitive=False),
            help=f"Build the net for this phase. [default: {default}]",
        )(command)

    return add


def run_options(command: F) -> F:
    """`--seed`, `--threads`."""
    command = click.option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="Threads. [default: NETDEF_THREADS, else the cores this process may use]",
    )(command)
    return click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="Of everything random."
    )(command)


def weights_option(command: F) -> F:
    """`--weights`, as a tuple of texts with commas."""
    return click.option(
        "--weights",
        "-w",
        multiple=True,
        metavar="A[,B]",
        help="Copy weights by layer name from .caffemodel or .caffemodel.h5 files.",
    )(command)


def split_commas(values: tuple[str, ...]) -> list[str]:
    """`("a,b", "c")` is a, b and c."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
