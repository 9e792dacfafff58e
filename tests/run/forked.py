"""Nets in processes, however small they are, for tests that compare them with threads."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

import netdef.run.net
from netdef.run import executor
from netdef.run.net import Net
from netdef.run.team import Team, use_processes

needs_processes = pytest.mark.skipif(
    not use_processes(True), reason="shards are processes on Linux, in a Python with the lock"
)


@contextmanager
def processes_everywhere() -> Iterator[list[Team]]:
    """Let each net with shards use processes; those that it makes are ended at the end.

    Yields:
        The teams, as they are made.
    """
    teams: list[Team] = []

    def make(*given: Any) -> Team:
        teams.append(Team(*given))
        return teams[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(netdef.run.net, "use_processes", lambda asked: True)
        patch.setattr(executor, "_WORTH_PROCESSES", 0)
        patch.setattr(executor, "Team", make)
        try:
            yield teams
        finally:
            for team in teams:
                team.close()


def works_apart(net: Net) -> bool:
    """Whether there is anything that several threads or processes do side by side."""
    return any(step.apart and not (step.view or step.placed) for step in net.program.steps)


def lives(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state[0] not in "ZX"


def soon(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true before so many seconds are over."""
    end = monotonic() + seconds
    while not true():
        if monotonic() > end:
            return False
        sleep(0.005)
    return True


def in_fork(act: Callable[[], object]) -> str:
    """What an act in a fork of this process returns, or raises, as text."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            signal.alarm(30)  # a fork that waits for threads it does not have says nothing
            try:
                words = str(act())
            except BaseException as error:
                words = f"{type(error).__name__}: {error}"
            os.write(write, words.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        words = file.read().decode()
    os.waitpid(pid, 0)
    return words
