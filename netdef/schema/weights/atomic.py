"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from netdef.diag import NetdefError
from netdef.schema.problems import CannotWrite

_HELP = {
    errno.ENOSPC: "free some space on that disk, or write to another",
    errno.EDQUOT: "free some of your space on that disk, or write to another",
    errno.EACCES: "write into a folder that is yours",
    errno.EROFS: "write into a folder that can be written to",
    errno.ENOENT: "make the folder first, or write into one that is there",
}


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside `path`, which takes its place when the block ends well.

    The bytes are on the disk before the old file goes, so that a power cut leaves one or the
    other. Whatever fails, the old file stays and the temporary one is removed. A symbolic link
    goes on pointing where it did; its target is replaced.

    Args:
        path: the file to write; its folder must be there.

    Raises:
        NetdefError: where the system refuses: full disk, no such folder, no right to write.
    """
    target = Path(os.path.realpath(path))
    # In the same folder: only there is a rename one step. Hidden, so that no `*` finds it.
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
    try:
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        # An open in the usual way gives the file the rights that the user's umask asks for.
        with temporary.open("wb"):
            pass
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise NetdefError(_problem(path, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; Windows has no such thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _problem(path: str | os.PathLike[str], error: OSError) -> CannotWrite:
    words = (error.strerror or str(error)).lower()
    return CannotWrite(
        f"`{os.fspath(path)}` cannot be written: {words}", help=_HELP.get(error.errno or 0, "")
    )
