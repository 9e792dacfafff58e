"""Options that several commands have."""

from __future__ import annotations

import os
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


def fast_option(command: F) -> F:
    """`--no-fast`, which the whole command obeys by NETDEF_FAST."""

    def obey(ctx: click.Context, _param: click.Parameter, off: bool) -> None:  # noqa: FBT001
        if not off:
            return
        before = os.environ.get("NETDEF_FAST")
        os.environ["NETDEF_FAST"] = "0"

        def restore() -> None:
            if before is None:
                del os.environ["NETDEF_FAST"]
            else:
                os.environ["NETDEF_FAST"] = before

        ctx.call_on_close(restore)

    return click.option(
        "--no-fast",
        is_flag=True,
        expose_value=False,
        callback=obey,
        help="No compiled kernels, even where numba is installed.",
    )(command)


def run_options(command: F) -> F:
    """`--seed`, `--threads`, `--no-fast`."""
    command = fast_option(command)
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


def allow_unknown_option(command: F) -> F:
    """`--allow-unknown`."""
    return click.option(
        "--allow-unknown",
        is_flag=True,
        help="Pass over fields and layer types that only forks of Caffe have.",
    )(command)


def input_shape_option(command: F) -> F:
    """`--input-shape`, as a dict of blob names and shapes called `input_shapes`."""
    return click.option(
        "--input-shape",
        "input_shapes",
        multiple=True,
        metavar="BLOB=N,C,H,W",
        callback=_read_shapes,
        help="Shape of an input blob, such as one of data that is not here; may be repeated.",
    )(command)


def _read_shapes(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """`("data=1,3,8,8",)` as `{"data": (1, 3, 8, 8)}`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for text in value:
        # a blob's name may have any character; sizes are written as people write shapes
        name, _, sizes = text.rpartition("=")
        parts = sizes.replace("x", ",").replace("×", ",").split(",")
        if not name or not all(p.strip().isascii() and p.strip().isdecimal() for p in parts):
            raise click.BadParameter(f"write data=1,3,224,224, not `{text}`", ctx, param)
        shapes[name] = tuple(map(int, parts))
    return shapes
