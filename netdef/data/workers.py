"""Many images at a time: decoding is the slow part of reading, and Pillow lets threads share it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar
from weakref import finalize

from netdef.data.errors import DataError
from netdef.data.tolerance import Tolerance

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8  # threads; more than that wait for the disk, or for each other


class Workers:
    """Threads that start with the first work, and end with the object.

    Args:
        threads: how many; None for as many as this process may use cores.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or min(_MOST, _cores())
        self._pool: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The function of every item, in their order; the first error is raised."""
        if self.threads == 1 or len(items) < 2:
            return [function(item) for item in items]
        return list(self._threads().map(function, items))

    def stream(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """As `map`, for any number of items: few of them are in memory at a time."""
        if self.threads == 1:
            yield from map(function, items)
            return
        rest, waiting = iter(items), list[Future[R]]()
        pool = self._threads()
        try:
            waiting += [pool.submit(function, item) for item in islice(rest, 4 * self.threads)]
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(function, item) for item in islice(rest, 1)]
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the threads; more than once does no harm."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, "netdef decode")
            finalize(self, self._pool.shutdown, wait=False)
        return self._pool


def good_ones(
    found: Sequence[R | DataError], names: Sequence[str], tolerance: Tolerance
) -> list[R]:
    """A batch with its broken items replaced by the next good one, round the batch.

    Args:
        found: items, or what is wrong with them.
        names: of each.
        tolerance: counts the broken ones.

    Raises:
        DataError: there is one too many, or none is good.
    """
    good = [place for place, item in enumerate(found) if not isinstance(item, DataError)]
    if len(good) == len(found):
        return list(found)  # type: ignore[arg-type]  # none of them is an error
    out: list[R] = []
    for place, item in enumerate(found):
        if isinstance(item, DataError):
            tolerance.skip(names[place], item)
            if not good:
                raise item
            item = found[next((p for p in good if p > place), good[0])]
        out.append(item)  # type: ignore[arg-type]  # the good one
    return out


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
