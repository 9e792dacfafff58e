"""Threads that each work on one shard, and how many there should be."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from queue import SimpleQueue
from typing import Any

Task = Callable[[], None]


def thread_count(asked: int | None = None) -> int:
    """Threads to use: as asked, else NETDEF_THREADS, else the cores this process may use."""
    if asked is None:
        words = os.environ.get("NETDEF_THREADS", "")
        asked = int(words) if words.isdigit() else _cores()
    return max(1, asked)


def _cores() -> int:
    """Cores this process may use; where the system does not tell, those there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Threads that run the tasks of a list side by side, the first one in the caller's."""

    def __init__(self, count: int) -> None:
        self._inboxes: list[SimpleQueue[Task]] = [SimpleQueue() for _ in range(count - 1)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for inbox in self._inboxes:
            threading.Thread(target=self._work, args=(inbox,), daemon=True).start()

    def _work(self, inbox: SimpleQueue[Task]) -> None:
        while True:
            task = inbox.get()
            failure: BaseException | None = None
            try:
                task()
            except BaseException as error:  # handed to the caller of `run`
                failure = error
            del task  # while this thread waits, nothing of a net is held
            self._done.put(failure)
            del failure

    def run(self, tasks: Sequence[Task]) -> None:
        """Run all tasks and wait for them; the first failure is raised once all have ended."""
        for inbox, task in zip(self._inboxes, tasks[1:], strict=False):
            inbox.put(task)
        failures: list[BaseException | None] = []
        try:
            tasks[0]()
        except BaseException as error:  # raised below, when no task still runs
            failures.append(error)
        failures += [self._done.get() for _ in tasks[1:]]
        for failure in failures:
            if failure is not None:
                raise failure


@cache
def workers(count: int) -> Workers:
    """The process's workers for that many shards."""
    return Workers(count)


class Blas:
    """How many threads a BLAS call uses: one where the shards are the parallelism."""

    def __init__(self) -> None:
        self._libraries: list[Any] | None = None
        self._threads = 0

    def use(self, threads: int) -> None:
        """Let BLAS calls from now on use so many threads; costs nothing where they do."""
        if threads == self._threads:
            return
        if self._libraries is None:
            import threadpoolctl

            found = threadpoolctl.ThreadpoolController().select(user_api="blas")
            self._libraries = list(found.lib_controllers)
        for library in self._libraries:
            library.set_num_threads(threads)
        self._threads = threads


blas = Blas()
