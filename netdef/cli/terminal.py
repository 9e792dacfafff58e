"""What the terminal can show: colours, width, characters; and reports on stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from netdef.diag import Problem

_NOT_A_TERMINAL = 100  # columns for files and pipes


def colored(stream: IO[Any] | None = None) -> bool:
    """Whether to use colours: NO_COLOR, then CLICOLOR_FORCE, then whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal(stream)


def is_terminal(stream: IO[Any] | None = None) -> bool:
    """Whether a stream, by default stdout, is a terminal that can move its cursor."""
    stream = stream or sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Width of stdout."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        import shutil

        return shutil.get_terminal_size().columns
    return _NOT_A_TERMINAL


def unicode() -> bool:
    """Whether stdout takes the characters of drawings, each in one cell.

    Terminals set up for East Asian text may give two cells to `×` and `─`; where the variables
    that other programs look at say so, drawings are in ASCII.
    """
    if os.environ.get("RUNEWIDTH_EASTASIAN") == "1" or os.environ.get("VTE_CJK_WIDTH") == "2":
        return False
    try:
        "├─●×".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_report(problems: Iterable[Problem]) -> None:
    """Show problems on stderr, in full."""
    import click

    from netdef.diag.render import render

    text = render(problems, color=colored(sys.stderr))
    if text:
        # click would take the colours out where stderr is no terminal, CLICOLOR_FORCE or not
        click.echo(text, err=True, color=True)


def replace_unprintable() -> None:
    """Print `?` for what the streams' encodings do not have, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


@contextmanager
def overflow_unsaid() -> Iterator[None]:
    """Let numbers overflow without NumPy's words: the results show it, and say where."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def silence_stdout() -> None:
    """Send stdout nowhere from now on: whoever read it has gone."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a file behind it, as in tests
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  for the rest of the process
