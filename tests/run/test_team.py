"""Teams of processes: what they do, and where there are some."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import sleep
from typing import Any

import numpy as np
import pytest

from netdef.kernels.memory import shared_zeros
from netdef.run.team import Member, use_processes
from tests.run.commands import SIZE, Make, do, echo
from tests.run.forked import needs_processes

pytestmark = [
    needs_processes,
    # Python 3.12 warns of a fork where there are threads; `in_fork` only talks to a pipe
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


class TestWork:
    def test_members_do_what_is_commanded(self, make: Make) -> None:
        array = shared_zeros((SIZE, 4))

        def add(member: Member, command: int) -> None:
            array[member.rank] += command

        team = make(add)
        do(team, 2)
        do(team, 5)
        assert array.tolist() == [[0] * 4, [7] * 4, [7] * 4]

    def test_members_have_all_that_was_there_before_the_fork(self, make: Make) -> None:
        shared, own = shared_zeros(1), np.zeros(1)
        own[0] = 1

        def look(member: Member, command: None) -> tuple[float, float]:
            del member, command
            return float(shared[0]), float(own[0])

        team = make(look)
        shared[0] = own[0] = 2
        do(team, None)
        assert team.results() == [(2, 1)] * (SIZE - 1)

    @pytest.mark.parametrize("size", [2, 3, 5])
    def test_stretches_end_for_all_before_the_next_begins(self, make: Make, size: int) -> None:
        rounds = 30
        parts, sums = shared_zeros(size, np.int64), shared_zeros((size, rounds), np.int64)

        def work(rank: int, number: int, meet: Callable[[], None]) -> None:
            parts[rank] = number + rank
            meet()
            sums[rank, number] = parts.sum()

        def serve(member: Member, command: int) -> None:
            for number in range(command):
                if number:
                    member.meet()
                work(member.rank, number, member.meet)

        team = make(serve, size)
        team.command(rounds)

        def meet() -> None:
            team.wait()
            team.go()

        team.go()
        for number in range(rounds):
            work(0, number, meet)
            team.wait()
            if number < rounds - 1:
                team.go()
        expected = size * np.arange(rounds) + sum(range(size))
        assert (sums == expected).all()

    def test_results_are_those_of_the_members_in_order(self, make: Make) -> None:
        team = make(echo, 5)
        for command in ("one", {"two": np.arange(3).tolist()}):
            do(team, command)
            assert team.results() == [(rank, command) for rank in range(1, 5)]

    def test_a_long_wait_between_commands(self, make: Make, hasty: None) -> None:
        team = make(echo)
        sleep(0.2)  # many times a member's patience
        do(team, 1)
        assert team.results() == [(1, 1), (2, 1)]

    def test_a_slow_member_is_waited_for(self, make: Make, hasty: None) -> None:
        def serve(member: Member, command: float) -> int:
            sleep(command * member.rank)
            return member.rank

        team = make(serve)
        do(team, 0.1)
        assert team.results() == [1, 2]

    def test_two_teams_do_not_disturb_each_other(self, make: Make) -> None:
        first, second = make(echo), make(lambda member, command: -member.rank)
        first.command(1)
        second.command(2)
        second.go()
        first.go()
        first.wait()
        second.wait()
        assert (first.results(), second.results()) == ([(1, 1), (2, 1)], [-1, -2])
        first.close()
        do(second, 3)
        assert second.results() == [-1, -2]

    def test_made_in_a_thread(self, make: Make) -> None:
        found: list[Any] = []

        def run() -> None:
            team = make(echo)
            do(team, 1)
            found.extend(team.results())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(20)
        assert found == [(1, 1), (2, 1)]

    def test_one_alone(self, make: Make) -> None:
        team = make(echo, 1)
        do(team, 1)
        assert team.results() == []


class TestChoice:
    @pytest.mark.parametrize(
        ("asked", "variable", "expected"),
        [
            (None, None, True),
            (None, "1", True),
            (None, "0", False),
            (True, "0", True),
            (False, "1", False),
        ],
    )
    def test_as_asked_else_as_the_environment_says(
        self,
        asked: bool | None,
        variable: str | None,
        expected: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if variable is None:
            monkeypatch.delenv("NETDEF_PROCESSES", raising=False)
        else:
            monkeypatch.setenv("NETDEF_PROCESSES", variable)
        assert use_processes(asked) is expected

    def test_only_on_linux(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", "darwin")
        assert not use_processes(True)

    def test_only_where_threads_wait_for_a_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
        assert not use_processes(True)
