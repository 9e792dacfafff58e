"""What signals do to a training."""

from __future__ import annotations

import os
import signal

import pytest

from netdef.cli.signals import Signals

SOLVER = "solver.prototxt"


class Recorder:
    """Stands for a solver."""

    def __init__(self):
        self.asked = []

    def request_stop(self):
        self.asked.append("stop")

    def request_snapshot(self):
        self.asked.append("snapshot")


def send(number):
    os.kill(os.getpid(), number)


@pytest.fixture
def solver():
    return Recorder()


def test_second_interrupt_quits_at_once(solver):
    said = []
    with Signals(solver, "stop", "snapshot", said.append) as signals:
        send(signal.SIGINT)
        assert solver.asked == ["snapshot", "stop"]
        assert "Ctrl-C again quits at once" in said[0]
        assert signals.exit_status == 130
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_hangup_asks_for_a_snapshot(solver):
    with Signals(solver, "stop", "snapshot", lambda text: None) as signals:
        send(signal.SIGHUP)
        send(signal.SIGHUP)
    assert solver.asked == ["snapshot", "snapshot"]
    assert signals.exit_status == 0


def test_none_does_nothing(solver):
    with Signals(solver, "none", "none", lambda text: None):
        send(signal.SIGINT)
        send(signal.SIGHUP)
    assert solver.asked == []


def test_handlers_are_put_back(solver):
    before = signal.getsignal(signal.SIGINT)
    with Signals(solver, "stop", "stop", lambda text: None):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize(
    ("number", "status", "options"),
    [
        (signal.SIGINT, 130, ()),
        (signal.SIGTERM, 143, ()),
        (signal.SIGHUP, 129, ("--sighup-effect", "stop")),
        # a solver that snapshots at no other time
        (signal.SIGINT, 130, ("--set", "snapshot_after_train=false")),
    ],
)
def test_stops_with_a_snapshot(start, folder, number, status, options):
    process = start("train", SOLVER, "--max-iter", "100000000", *options)
    while not process.stdout.readline().startswith("iteration 10 ".replace(" 10", "          10")):
        assert process.poll() is None, process.stderr.read()
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert "stopping after this iteration" in errors
    last = output.splitlines()[-1]
    assert last.startswith("stopped at ")
    iteration = int(last.split()[2].replace(",", ""))
    assert [path.name for path in folder.glob("*.solverstate")] == [
        f"tiny_iter_{iteration}.solverstate"
    ]


def test_hangup_snapshots_and_goes_on(start, folder):
    process = start("train", SOLVER, "--max-iter", "100000000")
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    for line in process.stdout:
        if line.startswith("snapshot "):
            break
    assert next(process.stdout)
    assert process.poll() is None
    assert len(list(folder.glob("*.solverstate"))) == 1
