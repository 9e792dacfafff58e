"""Which nets use processes, how long these live, and who may use such a net."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest

from netdef.kernels.memory import is_shared
from netdef.run import executor
from netdef.run import team as team_module
from netdef.run.team import Team
from tests.run.acts import (
    Watching,
    assert_same_bits,
    batch,
    build,
    gradients,
    gradients_that_add_up,
    observed_in_between,
    other_sizes,
    train,
)
from tests.run.forked import in_fork, lives, needs_processes, soon

pytestmark = [
    needs_processes,
    # Python 3.12 warns of a fork where there are threads; `in_fork` only talks to a pipe
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


class TestChoice:
    def test_not_where_the_environment_says_no(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executor, "_WORTH_PROCESSES", 0)
        for words, expected in (("0", False), ("1", True)):
            monkeypatch.setenv("NETDEF_PROCESSES", words)
            net = build(threads=2, processes=None)
            net.forward(**batch())
            assert (net._executor._team is not None) is expected
            assert is_shared(net.blobs["data"].data) is expected
            assert is_shared(net.learned[0].data) is expected
            net._executor.close()

    @pytest.mark.parametrize("choices", [{}, {"processes": False}])
    def test_not_unless_asked(self, choices: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executor, "_WORTH_PROCESSES", 0)
        net = build(threads=2, **choices)
        net.forward(**batch())
        assert net._executor._team is None

    def test_not_for_one_thread(self, teams: list[Team]) -> None:
        net = build(threads=1)
        net.forward(**batch())
        assert not teams
        assert not is_shared(net.learned[0].data)

    def test_not_for_one_small_image(self, teams: list[Team]) -> None:
        build(threads=2).forward(**batch(0, 1))
        assert not teams

    def test_only_where_there_is_much_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        net = build(threads=2, processes=True)
        net.forward(**batch())
        assert net._executor._team is None
        macs = net.graph.macs
        for worth, expected in ((macs + 1, False), (macs, True)):
            monkeypatch.setattr(executor, "_WORTH_PROCESSES", worth)
            net = build(threads=2, processes=True)
            net.forward(**batch())
            assert (net._executor._team is not None) is expected

    def test_not_with_params_of_a_net_of_threads(self, teams: list[Team]) -> None:
        """Processes would go on with the params as they were."""
        other = build(threads=1)
        net = build(threads=2)
        net.forward(**batch())
        assert len(teams) == 1
        net.share_params_with(other)
        other.learned[0].data[...] = 0
        net.forward()
        assert len(teams) == 1
        assert not net.blobs["conv"].data.any()

    def test_with_params_of_a_net_of_processes(self, teams: list[Team]) -> None:
        net, other = build(threads=2), build(threads=2)
        net.forward(**batch())
        net.share_params_with(other)
        for _ in range(2):
            net.forward()
            assert net.blobs["conv"].data.any()
        other.learned[0].data[...] = 0
        net.forward()
        assert not net.blobs["conv"].data.any()

    @pytest.mark.parametrize("error", [BlockingIOError, FileNotFoundError])
    def test_threads_where_the_system_has_none(
        self, error: type[OSError], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = gradients(build(threads=3))
        tried: list[Any] = []

        def refuse(*given: Any) -> Team:
            tried.append(given)
            raise error("no more processes, or no /dev/shm")

        monkeypatch.setattr(executor, "_WORTH_PROCESSES", 0)
        monkeypatch.setattr(executor, "Team", refuse)
        net = build(threads=3, processes=True)
        assert_same_bits(gradients(net), expected)
        net.forward()
        assert len(tried) == 1


class TestEnd:
    def test_no_process_is_left(self, teams: list[Team], monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[int] = []
        fork = os.fork

        def noted() -> int:
            pid = fork()
            made.append(pid)
            return pid

        monkeypatch.setattr(os, "fork", noted)
        net = build(threads=3)
        for act in (gradients_that_add_up, other_sizes, observed_in_between):
            act(net)
        assert len(made) > 6
        assert sum(lives(pid) for pid in made) <= 2 + 2 * len(teams)
        teams.clear()  # they hold no other references
        assert sum(lives(pid) for pid in made) <= 2
        del net
        gc.collect()
        assert not any(lives(pid) for pid in made)

    def test_nor_of_a_solver(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(executor, "_WORTH_PROCESSES", 0)
        solver, _ = train(3, processes=True)
        nets = (solver.net, *solver.test_nets)
        members = [pid for net in nets for pid in net._executor._team._pids]  # type: ignore[union-attr]
        assert len(members) == 4
        assert all(lives(pid) for pid in members)
        del solver, nets
        gc.collect()
        assert soon(lambda: not any(lives(pid) for pid in members))


class TestForks:
    """Two processes with one set of arrays would write over each other's blobs."""

    @pytest.mark.parametrize("ran", [False, True])
    @pytest.mark.parametrize("observed", [False, True])
    def test_refused(self, ran: bool, observed: bool, teams: list[Team]) -> None:
        net = build(threads=2)
        if ran:
            net.forward(**batch())
        net.observer = Watching(net) if observed else None

        def act() -> str:
            said = []
            for run in (net.forward, net.forward, net.backward):
                try:
                    said.append(str(run()))
                except RuntimeError as error:
                    said.append(str(error)[:22])
            return str(said)

        assert in_fork(act) == str(["this net's arrays are "] * 3)
        net.observer = None
        net.forward()
        assert len(teams) == 1
        assert all(lives(pid) for pid in teams[0]._pids)

    def test_a_net_of_threads_may(self) -> None:
        net = build(threads=1)
        net.forward(**batch())
        assert in_fork(lambda: net.forward()["loss"].shape) == "()"

    def test_a_net_made_there_may(self, teams: list[Team], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(team_module, "_PATIENCE", 0.05)  # members outlive the fork by it
        build(threads=2).forward(**batch())
        expected = str(build(threads=2).forward(**batch())["loss"])
        assert in_fork(lambda: build(threads=2).forward(**batch())["loss"]) == expected
