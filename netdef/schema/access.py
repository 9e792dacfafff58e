"""Why a file could not be opened, in words."""

from __future__ import annotations

import os
from pathlib import Path

from netdef.diag import Problem, nearest
from netdef.schema import problems


def unreadable(path: str | os.PathLike[str], error: Exception) -> Problem:
    """The problem behind an error of opening or reading a file.

    Args:
        path: as the user gave it.
        error: what the system said; also the ValueError of a name with a NUL in it.
    """
    name = os.fspath(path)
    if isinstance(error, FileNotFoundError):
        return _missing(name)
    if isinstance(error, OSError) and os.path.isdir(name):
        return problems.NotAFile(
            f"`{name}` is a folder, not a file", help="add the name of a file in it"
        )
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return problems.FileUnreadable(f"`{name}` cannot be read: {words.lower()}")


def _missing(name: str) -> Problem:
    folder = Path(name).parent
    if not os.path.isdir(folder):
        return problems.FileMissing(
            f"there is no file `{name}`", notes=(f"there is no folder `{folder}` either",)
        )
    try:
        there = [entry.name for entry in folder.iterdir()]
    except OSError:
        there = []
    near = nearest(Path(name).name, there, 1)
    return problems.FileMissing(
        f"there is no file `{name}`",
        help=f"a near name is `{folder / near[0]}`" if near else "",
    )
