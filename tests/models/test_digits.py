"""models/digits learns as its README says, through the command line."""

from __future__ import annotations

import gzip
import runpy
import subprocess
import sys

import numpy as np
import pytest

import netdef

WEIGHTS = "models/digits/snapshots/digits_iter_1500.caffemodel"


@pytest.fixture(scope="module")
def trained(prepared):
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "netdef",
            "train",
            "models/digits/model.prototxt",
            "models/digits/solver.prototxt",
        ],
        cwd=prepared,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return prepared / WEIGHTS


def test_split_is_every_sixth_row(tree):
    digits = runpy.run_path("models/digits/prepare.py")
    with gzip.open("models/digits/digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=int)

    parts = digits["split"](*digits["read"]())

    rows = {name: np.column_stack([x.reshape(-1, 64), y]) for name, (x, y) in parts.items()}
    assert np.array_equal(rows["test"], table[::6])
    left = np.delete(table, np.s_[::6], axis=0)
    assert sorted(map(tuple, rows["train"])) == sorted(map(tuple, left))
    assert (len(rows["train"]), len(rows["test"])) == (1497, 300)


def test_reaches_its_accuracy(trained, tree):
    net = netdef.load("models/digits/model.prototxt", str(trained), phase="test")
    scores = [float(net.forward()["accuracy"]) for _ in range(3)]
    assert np.mean(scores) >= 0.985


def test_deploy_answers_the_same(trained, tree):
    digits = runpy.run_path("models/digits/prepare.py")
    images, labels = digits["split"](*digits["read"]())["test"]
    net = netdef.load("models/digits/deploy.prototxt", str(trained))

    prob = net.forward(data=images[:, None].astype(np.float32) / 16)["prob"]

    assert prob.shape == (300, 10)
    assert np.mean(prob.argmax(axis=1) == labels) >= 0.985


def test_command_line_scores_it(trained, tree):
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "netdef",
            "test",
            "models/digits/model.prototxt",
            "--weights",
            str(trained),
            "--iterations",
            "3",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "accuracy" in run.stdout
