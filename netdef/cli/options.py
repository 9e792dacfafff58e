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
    return _by_environment(
        "--no-fast", "NETDEF_FAST", "0", "No compiled kernels, even where numba is installed."
    )(command)


def processes_option(command: F) -> F:
    """`--no-processes`, which the whole command obeys by NETDEF_PROCESSES."""
    return _by_environment(
        "--no-processes",
        "NETDEF_PROCESSES",
        "0",
        "Threads alone, which is slower: no process for each thread beyond the first.",
    )(command)


def autotune_option(command: F) -> F:
    """`--autotune`, which the whole command obeys by NETDEF_AUTOTUNE."""
    return _by_environment(
        "--autotune",
        "NETDEF_AUTOTUNE",
        "1",
        "Pick convolution algorithms by trying them here, once; kept in netdef's cache folder.",
    )(command)


def _by_environment(flag: str, variable: str, value: str, about: str) -> Callable[[F], F]:
    """A flag that sets an environment variable while the command runs."""

    def obey(ctx: click.Context, _param: click.Parameter, on: bool) -> None:  # noqa: FBT001
        if not on:
            return
        before = os.environ.get(variable)
        os.environ[variable] = value

        def restore() -> None:
            if before is None:
                del os.environ[variable]
            else:
                os.environ[variable] = before

        ctx.call_on_close(restore)

    return click.option(flag, is_flag=True, expose_value=False, callback=obey, help=about)


def skip_bad_option(command: F) -> F:
    """`--skip-bad N`, which all sources of data that the command opens obey."""

    def obey(ctx: click.Context, _param: click.Parameter, most: int) -> None:
        if not most:
            return
        from netdef.data.tolerance import tolerate

        tolerance = ctx.with_resource(tolerate(most))

        def tell() -> None:
            if tolerance.skipped:
                count = len(tolerance.skipped)
                click.echo(f"skipped {count} broken record{'s' if count > 1 else ''}:", err=True)
            for name, problem in tolerance.skipped.items():
                click.echo(f"  {name}: {problem}", err=True)

        ctx.call_on_close(tell)

    return click.option(
        "--skip-bad",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        expose_value=False,
        callback=obey,
        help="Let up to N broken records of the data pass; the next good ones stand in.",
    )(command)


def run_options(command: F) -> F:
    """`--seed`, `--threads`, `--no-processes`, `--no-fast`, `--skip-bad`."""
    command = skip_bad_option(command)
    command = fast_option(command)
    command = processes_option(command)
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
