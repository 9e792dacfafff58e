"""How many broken records a run may meet and go on: `--skip-bad N`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from netdef.data.errors import DataError


class Tolerance:
    """Counts broken records, and ends its patience with one too many.

    The same record counts once, however often it comes by.

    Args:
        most: how many are let pass.

    Attributes:
        most: as given.
        skipped: what is wrong with each, by what names it.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self.skipped: dict[str, str] = {}
        self._lock = Lock()

    def skip(self, name: str, error: DataError) -> None:
        """Let a broken record pass.

        Args:
            name: of the record, the same whenever it comes by.
            error: what is wrong with it.

        Raises:
            DataError: `error`, where it is one too many.
        """
        with self._lock:
            if name in self.skipped:
                return
            if len(self.skipped) < self.most:
                self.skipped[name] = error.message
                return
        if not self.most:
            raise error
        more = f"it is the broken record number {self.most + 1}, and {self.most} may be skipped"
        raise DataError(error.message, f"{error.help}; {more}" if error.help else more) from error


_CURRENT: ContextVar[Tolerance | None] = ContextVar("tolerance", default=None)


def current() -> Tolerance:
    """The tolerance of what runs now; of nothing, where nobody said otherwise."""
    return _CURRENT.get() or Tolerance()


@contextmanager
def tolerate(most: int) -> Iterator[Tolerance]:
    """Let sources that are opened inside of the block skip broken records.

    A broken record is replaced by the next good one of its batch, so that batches keep their
    size, and still depend on nothing but the seed and where they start.

    Args:
        most: how many, of all sources together.
    """
    tolerance = Tolerance(most)
    token = _CURRENT.set(tolerance)
    try:
        yield tolerance
    finally:
        _CURRENT.reset(token)
