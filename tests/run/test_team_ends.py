"""Teams of processes: errors, processes that die, signals, and how all end."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest

from netdef.diag import NetdefError, Problem, Source, Span
from netdef.kernels.memory import shared_zeros
from netdef.run.team import Lost, Member, Team
from tests.run.commands import SIZE, Make, do, echo, pids
from tests.run.forked import in_fork, lives, needs_processes, soon

pytestmark = [
    needs_processes,
    # Python 3.12 warns of a fork where there are threads; `in_fork` only talks to a pipe
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


ROOT = Path(__file__).parents[2]


class Two(Exception):
    """Cannot be made from its args alone."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def local_error() -> Exception:
    class Local(Exception):
        """Of a class that no other process finds."""

    return Local("of a local class")


class TestErrors:
    def fail(self, make: Make, error: Callable[[], Exception], rank: int = 2) -> BaseException:
        def serve(member: Member, command: None) -> None:
            del command
            if member.rank == rank:
                raise error()

        with pytest.raises(Exception) as caught:  # noqa: PT011  # any, and looked at below
            do(make(serve), None)
        return caught.value

    @pytest.mark.parametrize("rank", [1, 2])
    def test_raised_in_the_leader(self, make: Make, rank: int) -> None:
        error = self.fail(make, lambda: KeyError("no such shard"), rank)
        assert (type(error), error.args) == (KeyError, ("no such shard",))

    def test_a_mistake_keeps_its_place(self, make: Make) -> None:
        source = Source("net.prototxt", "one\ntwo three\n")
        problem = Problem("is no number", Span(source, 8, 13), help="write 3", notes=("a", "b"))
        error = self.fail(make, lambda: NetdefError(problem))
        assert isinstance(error, NetdefError)
        (found,) = error.report
        assert (found.message, found.help, found.notes) == ("is no number", "write 3", ("a", "b"))
        assert (found.file, found.line, found.column) == ("net.prototxt", 2, 5)
        assert str(error) == str(NetdefError(problem))

    @pytest.mark.parametrize("error", [lambda: Two("one", "two"), local_error])
    def test_one_that_cannot_travel_is_told(
        self, make: Make, error: Callable[[], Exception]
    ) -> None:
        found = self.fail(make, error)
        assert type(found) is RuntimeError
        assert f"{type(error()).__name__}: {error()}" in str(found)
        assert "in serve" in str(found)  # where it was raised

    def test_the_first_member_s_of_several(self, make: Make) -> None:
        def serve(member: Member, command: None) -> None:
            del command
            sleep(0.1 / member.rank)
            raise ValueError(f"shard {member.rank}")

        with pytest.raises(ValueError, match="shard 1"):
            do(make(serve, 4), None)

    def test_in_a_later_stretch(self, make: Make) -> None:
        def serve(member: Member, command: None) -> None:
            del command
            member.meet()
            if member.rank == 1:
                raise ValueError("at last")
            member.meet()

        team = make(serve)
        team.command(None)
        team.go()
        team.wait()
        team.go()
        with pytest.raises(ValueError, match="at last"):
            team.wait()
        team.close()


@pytest.mark.usefixtures("hasty")
class TestLost:
    @pytest.mark.parametrize(
        ("how", "said"),
        [
            (lambda: os.kill(os.getpid(), signal.SIGKILL), "by signal 9"),
            (lambda: os._exit(3), "with status 3"),
            (lambda: sys.exit(4), "with status 1"),  # no way out of a member's life
        ],
    )
    def test_in_a_stretch(self, make: Make, how: Callable[[], None], said: str) -> None:
        def serve(member: Member, command: None) -> None:
            del command
            if member.rank == 2:
                how()

        begin = monotonic()
        with pytest.raises(Lost, match=f"process of this net ended {said}"):
            do(make(serve), None)
        assert monotonic() - begin < 10

    def test_between_commands(self, make: Make) -> None:
        team = make(echo)
        do(team, 1)
        team.results()
        os.kill(pids(team)[0], signal.SIGKILL)
        for how in (" by signal 9", ""):
            with pytest.raises(Lost, match=f"process of this net ended{how}"):
                do(team, 2)

    def test_with_its_results_unsaid(self, make: Make) -> None:
        class Deadly:
            def __reduce__(self) -> Any:
                os.kill(os.getpid(), signal.SIGKILL)
                raise AssertionError

        def serve(member: Member, command: None) -> Any:
            del command
            return Deadly() if member.rank == 1 else 2

        team = make(serve)
        do(team, None)
        with pytest.raises(Lost, match="process of this net ended by signal 9"):
            team.results()

    def test_one_that_somebody_else_has_waited_for(self, make: Make) -> None:
        def serve(member: Member, command: None) -> None:
            del member, command
            sleep(60)

        team = make(serve)
        team.command(None)
        team.go()
        for pid in pids(team):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        with pytest.raises(Lost, match="process of this net ended"):
            team.wait()
        team.close()


class TestEnd:
    def test_close(self, make: Make) -> None:
        team = make(echo, 4)
        do(team, 1)
        members = pids(team)
        assert len(members) == 3
        assert all(lives(pid) for pid in members)
        team.close()
        # reaped, too
        assert not any(Path(f"/proc/{pid}").exists() for pid in members)
        team.close()

    def test_close_while_members_work(self, make: Make) -> None:
        def serve(member: Member, command: float) -> None:
            del member
            sleep(command)

        team = make(serve)
        team.command(60)
        team.go()
        begin = monotonic()
        team.close()
        assert monotonic() - begin < 10
        assert not any(lives(pid) for pid in pids(team))

    def test_dropping_the_last_reference(self) -> None:
        team = Team(SIZE, echo)
        members = pids(team)
        assert all(lives(pid) for pid in members)
        del team
        gc.collect()
        assert not any(lives(pid) for pid in members)

    def test_when_the_system_has_no_more_processes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[int] = []
        fork = os.fork

        def fork_twice() -> int:
            if len(made) == 2:
                raise BlockingIOError("no more processes")
            pid = fork()
            made.append(pid)
            return pid

        monkeypatch.setattr(os, "fork", fork_twice)
        with pytest.raises(BlockingIOError):
            Team(5, echo)
        monkeypatch.undo()
        gc.collect()
        assert len(made) == 2
        assert soon(lambda: not any(lives(pid) for pid in made))
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def test_a_member_that_is_gone_already(self, make: Make) -> None:
        team = make(echo)
        members = pids(team)
        os.kill(members[0], signal.SIGKILL)
        os.waitpid(members[0], 0)
        team.close()
        assert not any(lives(pid) for pid in members)

    @pytest.mark.parametrize("end", ["killed", "exit", "raise"])
    def test_with_the_leader(self, end: str) -> None:
        program = (
            "import sys, time\n"
            "from netdef.run import team\n"
            "team._PATIENCE = 0.05\n"
            "made = team.Team(3, lambda member, command: command)\n"
            "print(*made._pids, flush=True)\n"
            "sys.stdin.readline()\n"
            "{'exit': sys.exit, 'raise': lambda: 1 / 0}[sys.argv[1]]()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, end],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            members = [int(word) for word in process.stdout.readline().split()]
            assert len(members) == 2
            assert all(lives(pid) for pid in members)
            if end == "killed":
                process.kill()
            process.communicate("go on\n", timeout=20)
        assert process.returncode == {"killed": -signal.SIGKILL, "exit": 0, "raise": 1}[end]
        assert soon(lambda: not any(lives(pid) for pid in members))

    def test_the_program_goes_on_once(self, capfd: pytest.CaptureFixture[str]) -> None:
        """What was said but not yet printed is printed by the leader alone."""
        program = (
            "from netdef.run.team import Team\n"
            "import atexit\n"
            "atexit.register(print, 'end')\n"
            "print('begin', end=' ')\n"
            "team = Team(3, lambda member, command: command)\n"
            "team.command(1); team.go(); team.wait(); print(team.results())\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=ROOT)
        assert capfd.readouterr().out == "begin [1, 1]\nend\n"


class TestForks:
    def test_a_fork_of_the_leader_cannot_command(self, make: Make) -> None:
        team = make(echo)
        assert in_fork(lambda: team.command(1)).startswith("RuntimeError: this net's arrays are")
        do(team, 2)
        assert team.results() == [(1, 2), (2, 2)]

    def test_a_fork_of_the_leader_does_not_end_it(self, make: Make) -> None:
        team = make(echo)
        assert in_fork(team.close) == "None"
        assert all(lives(pid) for pid in pids(team))
        do(team, 2)
        assert team.results() == [(1, 2), (2, 2)]


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_the_leader_decides(self, make: Make, number: signal.Signals) -> None:
        """A terminal and a batch system send them to all; the leader may want to end in order."""
        seen = shared_zeros(SIZE, np.int8)

        def serve(member: Member, command: int) -> int:
            seen[member.rank] = 1
            sleep(0.2)
            return command

        team = make(serve)
        do(team, 1)
        assert team.results() == [1, 1]
        for pid in pids(team):  # while they wait
            os.kill(pid, number)
        seen[:] = 0
        team.command(2)
        team.go()
        assert soon(lambda: seen[1:].all())
        for pid in pids(team):  # while they work
            os.kill(pid, number)
        team.wait()
        assert team.results() == [2, 2]

    def test_handlers_of_the_leader_are_not_the_members(self, make: Make) -> None:
        """Such as that of `netdef train`, which would ask the member's solver to stop."""
        heard = shared_zeros(SIZE, np.int8)
        before = signal.signal(signal.SIGINT, lambda *_: heard.fill(1))
        try:
            team = make(echo)
            for pid in pids(team):
                os.kill(pid, signal.SIGINT)
            do(team, 1)
        finally:
            signal.signal(signal.SIGINT, before)
        assert not heard.any()

    def test_interrupted_while_waiting(self, make: Make) -> None:
        def serve(member: Member, command: float) -> None:
            del member
            os.kill(os.getppid(), signal.SIGINT)
            sleep(command)

        team = make(serve, 2)
        begin = monotonic()
        with pytest.raises(KeyboardInterrupt):
            do(team, 60)
        team.close()
        assert monotonic() - begin < 20
