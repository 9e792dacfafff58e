"""What teams of processes are told in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netdef.run.team import Member, Team

SIZE = 3

Make = Callable[..., Team]


def do(team: Team, command: Any, stretches: int = 1) -> None:
    """Let the members do a command, without the leader."""
    team.command(command)
    for _ in range(stretches):
        team.go()
        team.wait()


def pids(team: Team) -> list[int]:
    return list(team._pids)


def echo(member: Member, command: Any) -> Any:
    return (member.rank, command)
