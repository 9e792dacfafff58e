"""What `netdef train` prints: for Caffe's scripts, for programs, in a terminal."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from datetime import datetime

import pytest

from netdef.cli.progress.spark import Spark

SOLVER = "solver.prototxt"

# The expressions of Caffe's tools/extra/parse_log.py, which reads lines one by one.
ITERATION = re.compile(r"Iteration (\d+)")
TRAIN = re.compile(r"Train net output #(\d+): (\S+) = ([\.\deE+-]+)")
TEST = re.compile(r"Test net output #(\d+): (\S+) = ([\.\deE+-]+)")
RATE = re.compile(r"lr = ([-+]?[0-9]*\.?[0-9]+([eE]?[-+]?[0-9]+)?)")
GLOG = re.compile(r"I(\d{4}) (\d\d:\d\d:\d\d\.\d{6}) +\d+ \w+\.cpp:\d+\] ")


def test_caffe_lines(call):
    text = call("train", SOLVER, "--log-format", "caffe").stdout.splitlines()
    assert "Solving tiny" in text[0]
    rows = {"train": [], "test": [], "rate": []}
    iteration = None
    for line in text:
        match = GLOG.match(line)
        assert match, line
        datetime.strptime(match[2], "%H:%M:%S.%f")
        if found := ITERATION.search(line):
            iteration = int(found[1])
        for name, pattern in (("train", TRAIN), ("test", TEST), ("rate", RATE)):
            if found := pattern.search(line):
                rows[name].append((iteration, float(found[1 if name == "rate" else 3])))
    assert [row[0] for row in rows["train"]] == [0, 10]
    assert [row[0] for row in rows["test"]] == [0, 10, 20]
    assert rows["rate"] == [(0, 0.1), (10, 0.1)]
    assert any(re.search(r"Iteration 10 \(.* iter/s, .*s/10 iters\), loss = ", t) for t in text)
    assert any(re.search(r"Train net output #0: loss = (\S+) \(\* 1 = \1 loss\)", t) for t in text)
    assert any("Iteration 10, Testing net (#0)" in t for t in text)
    assert any(t.endswith("binary proto file tiny_iter_20.caffemodel") for t in text)
    assert text[-1].endswith("Optimization Done.")


def test_jsonl(call):
    result = call("train", SOLVER, "--log-format", "jsonl", "--set", "display=5")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["event"] for event in events if event["event"] not in ("train", "test")] == [
        "start",
        "snapshot",
        "end",
        "finish",
    ]
    train = [event for event in events if event["event"] == "train"]
    assert [event["iteration"] for event in train] == [0, 5, 10, 15]
    assert train[0]["lr"] == pytest.approx(0.1)
    assert train[0]["outputs"] == {"loss": pytest.approx(train[0]["loss"])}
    assert abs(train[0]["time"] - time.time()) < 100
    assert next(event for event in events if event["event"] == "snapshot")["state"] == (
        "tiny_iter_20.solverstate"
    )


def test_jsonl_has_no_nan(call):
    settings = ("--set", "base_lr=1e30", "--set", "display=0", "--set", "test_interval=1000")
    result = call("train", SOLVER, "--log-format", "jsonl", *settings)
    events = [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]
    train = [event for event in events if event["event"] == "train"]
    assert len(train) == 20  # with display: 0, every one
    assert train[-1]["loss"] is None
    assert any(event["event"] == "warning" for event in events)


def test_a_run_outlives_its_log(start, folder):
    process = start("train", SOLVER, "--set", "display=1", "--max-iter", "300")
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)
    assert errors == ""
    assert process.returncode == 0
    assert (folder / "tiny_iter_300.solverstate").exists()


def in_terminal(folder, *words, signal_at=None, columns=100):
    """Run a command in a pseudo terminal; returns exit status and what it wrote."""
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    process = subprocess.Popen(
        [sys.executable, "-m", "netdef", *words],
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=folder,
        env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": root, "NETDEF_THREADS": "1"},
        start_new_session=True,
        close_fds=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(its)
    found = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        found += part
        if signal_at is not None and signal_at in found:
            os.write(ours, b"\x03")  # as the keyboard does for Ctrl-C
            signal_at = None
    os.close(ours)
    return process.wait(timeout=60), found.decode()


def test_live_display(folder):
    status, text = in_terminal(folder, "train", SOLVER, "--max-iter", "200")
    assert status == 0, text
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)
    assert "\x1b[" in text
    assert "snapshot at 200  tiny_iter_200.solverstate" in plain
    assert "200/200" in plain
    assert re.search(r"loss \S+ [▁▂▃▄▅▆▇█]{24}  lr 0.1  test loss ", plain)
    assert plain.rstrip().splitlines()[-1].startswith("done at 200 after ")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back


def test_ctrl_c_in_a_terminal(folder):
    status, text = in_terminal(
        folder, "train", SOLVER, "--max-iter", "1000000", signal_at=b"test at 10 "
    )
    assert status == 130, text
    found = re.search(r"stopped at ([\d,]+) after", text)
    assert found, text
    number = int(found[1].replace(",", ""))
    assert (folder / f"tiny_iter_{number}.solverstate").exists()


def test_no_live_display_in_a_dumb_terminal(folder, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ | {})
    from netdef.cli import terminal

    class Screen:
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "dumb")
    assert not terminal.is_terminal(Screen())
    monkeypatch.setenv("TERM", "xterm")
    assert terminal.is_terminal(Screen())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        ([1.0], "▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([0, float("nan"), 7], "▁·█"),
        ([1000, 100, 10, 1], "█▆▃▁"),  # logarithmic
    ],
)
def test_spark(values, text):
    spark = Spark()
    for value in values:
        spark.add(value)
    assert spark.text() == text


def test_spark_of_a_long_run():
    spark = Spark()
    for value in range(100_000):
        spark.add(float(100_000 - value))
    assert len(spark.text(10)) == 10
    assert spark.text(10)[0] == "█"
    assert spark.text(10)[-1] == "▁"
