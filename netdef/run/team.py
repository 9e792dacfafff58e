"""Processes that each work on one shard, over arrays that they share.

In one process Python's lock lets one thread at a time say what NumPy is to do next. A step of a
net is many calls of ten microseconds, and threads spend as much time waiting for the lock as
they gain. A forked process has a lock of its own, the same arrays at the same addresses, and
the whole program as it stood.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from traceback import format_exception
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from netdef.kernels.memory import shared_zeros

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Semaphore

_TRIES = 400
"""How often the leader looks at a semaphore, some 60 microseconds, before it goes to sleep: its
other threads, which may be reading data, wait meanwhile."""

_MEMBER_TRIES = 5000
"""The same of a member, which has no other threads; between passes, which are closer than this
in small nets, it stays awake."""

_PATIENCE = 1.0
"""Seconds of sleep after which a process looks whether the other one is still there."""


def use_processes(asked: bool | None = None) -> bool:  # noqa: FBT001  # an answer, or none
    """Processes or threads: as asked, else unless NETDEF_PROCESSES is 0; only where they serve.

    They need Linux: elsewhere a fork is not safe in a process that has threads, or missing. A
    Python without the lock does as well with threads.
    """
    if asked is None:
        asked = os.environ.get("NETDEF_PROCESSES") != "0"
    locked: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return asked and sys.platform == "linux" and locked()


class Lost(RuntimeError):
    """A process of the team ended before its time."""


class _Line(NamedTuple):
    """What joins a member to the process that leads.

    Attributes:
        go: a stretch of work may begin.
        done: it has ended.
        words: commands one way, results and errors the other.
    """

    go: Semaphore
    done: Semaphore
    words: Connection


class Member:
    """A process of the team, seen from within.

    Args:
        rank: from 1; the process that leads is 0.
        line: to the process that leads.
        failed: for each rank whether its words are an error.
        leader: number of the process that leads.
    """

    def __init__(self, rank: int, line: _Line, failed: Any, leader: int) -> None:
        self.rank = rank
        self._line = line
        self._failed = failed
        self._leader = leader  # `getppid` may be too late: it could be gone by now

    def meet(self) -> None:
        """Say that a stretch is done, and wait until the next may begin."""
        self._line.done.release()
        self._wait()

    def work(self, serve: Serve) -> None:
        """Do what is commanded, until the leader ends this process."""
        while True:
            self._wait()
            words = None
            try:
                words = serve(self, self._line.words.recv())
            except Exception as error:  # raised by the process that leads
                words = _portable(error)
                self._failed[self.rank] = 1
            self._line.done.release()
            if words is not None:
                self._line.words.send(words)

    def _wait(self) -> None:
        def look() -> None:
            if os.getppid() != self._leader:
                os._exit(0)

        _take(self._line.go, look, _MEMBER_TRIES)


# What a member does for a command, calling `Member.meet` between stretches. The leader gets what
# it returns, unless it is None, from `Team.results`.
Serve = Callable[[Member, Any], Any]


class Team:
    """Processes that wait for commands; forked from this one, which leads them.

    They have all that this process had when the team was made. What it changes later they see
    in arrays of `shared_zeros` alone. After any error the team is to be closed.

    Args:
        size: how many, this one included.
        serve: what a member does for a command.

    Raises:
        OSError: the system has no more processes, memory or semaphores.
    """

    def __init__(self, size: int, serve: Serve) -> None:
        from multiprocessing import get_context

        context = get_context("fork")
        self._owner = os.getpid()
        self._failed = shared_zeros(size, "int8")
        self._lines: list[_Line] = []
        self._pids: list[int] = []
        self._close = weakref.finalize(self, _dismiss, self._owner, self._pids)
        for rank in range(1, size):
            ours, theirs = context.Pipe()
            line = _Line(context.Semaphore(0), context.Semaphore(0), ours)
            # a terminal or a batch system signals all; the process that leads says what happens
            # then, so that members have these blocked, from before they can hear one
            answered = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, answered)
            try:
                pid = _fork()
                if not pid:
                    _live(rank, line._replace(words=theirs), self._failed, self._owner, serve)
                self._pids.append(pid)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            theirs.close()
            self._lines.append(line)

    def command(self, command: Any) -> None:
        """Tell all what to do; each stretch of it begins when it may `go`.

        Raises:
            RuntimeError: this is a fork of the process that made the team, so that two would
                write to the same arrays.
            Lost: one has died.
        """
        refuse_fork(self._owner)
        for line, pid in zip(self._lines, self._pids, strict=True):
            try:
                line.words.send(command)
            except OSError:
                _look_after(pid, gone=True)
                raise

    def go(self) -> None:
        """Let all begin with their next stretch."""
        for line in self._lines:
            line.go.release()

    def wait(self) -> None:
        """Wait until all have done their stretch.

        Raises:
            Lost: one has died.
            Exception: one of them failed; its error.
        """
        for line, pid in zip(self._lines, self._pids, strict=True):
            _take(line.done, partial(_look_after, pid), _TRIES)
        for rank, line in enumerate(self._lines, 1):
            if self._failed[rank]:
                raise _words(line, self._pids[rank - 1])

    def results(self) -> list[Any]:
        """What the members' `serve` returned, each of them something.

        Raises:
            Lost: one has died.
        """
        return list(map(_words, self._lines, self._pids))

    def close(self) -> None:
        """End the processes, whatever they do: all they have is arrays of the leader's."""
        self._close()


def refuse_fork(owner: int) -> None:
    """Let nobody but a process itself use its shared arrays.

    Args:
        owner: number of the process that made them.

    Raises:
        RuntimeError: this is another process.
    """
    if os.getpid() != owner:
        raise RuntimeError(
            "this net's arrays are shared with the process that made it: make the net in "
            "this process, or set NETDEF_PROCESSES=0 before it is made"
        )


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of locks that threads may hold; members only compute
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _live(rank: int, line: _Line, failed: Any, leader: int, serve: Serve) -> NoReturn:
    """A member's life; never returns to what the process did that it was forked from."""
    try:
        Member(rank, line, failed, leader).work(serve)
    finally:
        os._exit(1)


def _take(semaphore: Semaphore, look: Callable[[], None], tries: int) -> None:
    """Wait awake at first, as stretches are short, then asleep."""
    for _ in range(tries):
        if semaphore.acquire(block=False):
            return
    while not semaphore.acquire(timeout=_PATIENCE):
        look()


def _words(line: _Line, pid: int) -> Any:
    """What a member says."""
    try:
        return line.words.recv()
    except (EOFError, OSError):  # the other end is closed
        _look_after(pid, gone=True)
        raise


def _look_after(pid: int, *, gone: bool = False) -> None:
    """Raise `Lost` where a member has ended; as it is `gone`, wait until that can be seen."""
    try:
        ended, status = os.waitpid(pid, 0 if gone else os.WNOHANG)
    except ChildProcessError:  # somebody else has waited for it
        raise Lost("a process of this net ended") from None
    if ended:
        code = os.waitstatus_to_exitcode(status)
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        raise Lost(f"a process of this net ended {how}")


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same where it cannot travel."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(format_exception(error)))
    return error


def _dismiss(owner: int, pids: Sequence[int]) -> None:
    if os.getpid() != owner:  # a copy of the team, in some other fork
        return
    for pid in pids:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
