"""Teams of processes that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netdef.run import team as team_module
from netdef.run.team import Member, Team
from tests.run.commands import SIZE, Make
from tests.run.forked import processes_everywhere


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes teams that end with the test."""
    made: list[Team] = []

    def make(serve: Callable[[Member, Any], Any], size: int = SIZE) -> Team:
        made.append(Team(size, serve))
        return made[-1]

    yield make
    for team in made:
        team.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a process look after the others soon."""
    monkeypatch.setattr(team_module, "_PATIENCE", 0.02)


@pytest.fixture
def teams() -> Iterator[list[Team]]:
    """The teams that nets make; all nets with shards make one."""
    with processes_everywhere() as made:
        yield made
