"""Long texts in a pager, where stdout is a terminal that they do not fit."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

import click

from netdef.cli import terminal


def show(text: str, *, pager: bool = True) -> None:
    """Print a text; through a pager if it is longer than the screen.

    The pager is `NETDEF_PAGER`, else `PAGER`, else `less`; a file or pipe never gets one.

    Args:
        text: may have colours.
        pager: False prints in any case.
    """
    command = _command() if pager and _is_long(text) else []
    if not command or not _paged(text, command):
        click.echo(text, nl=not text.endswith("\n"), color=True)


def _is_long(text: str) -> bool:
    if not (terminal.is_terminal() and sys.stdin is not None and sys.stdin.isatty()):
        return False
    return text.count("\n") >= shutil.get_terminal_size().lines


def _command() -> list[str]:
    for name in ("NETDEF_PAGER", "PAGER"):
        if name in os.environ:
            words = shlex.split(os.environ[name])
            return words if words and words != ["cat"] and shutil.which(words[0]) else []
    return ["less"] if shutil.which("less") else []


def _paged(text: str, command: list[str]) -> bool:
    """Whether the pager ran."""
    # -F: not for one screen; -R: colours; -S: no wrapping; -X: the text stays afterwards
    settings = {"LESS": "FRSX", "LESSCHARSET": "utf-8"} | os.environ
    sys.stdout.flush()
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=settings)
    except OSError:
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's
    try:
        process.communicate(text.encode("utf-8", "replace"))
    finally:
        signal.signal(signal.SIGINT, before)
    return True
