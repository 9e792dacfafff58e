"""A training that is killed at any instant, again and again, loses nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from netdef.run.snapshot import states
from netdef.schema.weights import read_state, read_weights

NET = """
layer { name: "data" type: "DummyData" top: "x" top: "y"
  dummy_data_param { shape { dim: 8 dim: 200 } shape { dim: 8 dim: 20 }
    data_filler { type: "gaussian" } data_filler { type: "uniform" } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a"
  inner_product_param { num_output: 300 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "a" top: "a" }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b"
  inner_product_param { num_output: 20 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "y" top: "loss" }
"""
SOLVER = """
net: "model.prototxt" type: "AdamW" base_lr: 0.01 weight_decay: 0.1 lr_policy: "cosine"
warmup_iter: 20 max_iter: 900 snapshot: 3 snapshot_prefix: "PREFIX" random_seed: 5
keep_last: 4 keep_best: true test_iter: 2 test_interval: 10
"""
TRAIN = """
import sys
from netdef.run.solver import Solver
print("up", flush=True)
solver = Solver.from_file(sys.argv[1], threads=1)
solver.solve(sys.argv[2] if len(sys.argv) > 2 else None)
"""
KILLS = 8


def start(solver, state=None):
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, solver, *([state] if state else [])],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"},
    )


def finish(process):
    process.communicate(timeout=60)
    return process.returncode


@pytest.mark.slow
def test_killed_again_and_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.prototxt").write_text(NET)
    for name in ("whole", "killed"):
        Path(f"{name}.prototxt").write_text(SOLVER.replace("PREFIX", f"{name}/s"))
    assert finish(start("whole.prototxt")) == 0

    chance = random.Random(3)
    prefix = Path("killed/s")
    reached, kills = -1, 0
    for _ in range(4 * KILLS):
        before = list(states(prefix))
        process = start("killed.prototxt", str(before[-1]) if before else None)
        assert process.stdout is not None
        process.stdout.readline()  # it is up: the next second is building, training and writing
        time.sleep(chance.uniform(0.02, 0.45))
        process.send_signal(signal.SIGKILL)
        kills += finish(process) == -signal.SIGKILL
        found = states(prefix)
        for state in found:  # each one whole, with its model
            assert len(read_state(state).history) == 8
            assert read_weights(str(state).replace(".solverstate", ".caffemodel"))
        newest = max(found.values(), default=-1)
        assert newest >= reached, "a snapshot was lost"
        reached = newest
        if kills >= KILLS or reached >= 897:
            break
    assert kills >= 3
    assert finish(start("killed.prototxt", str(list(states(prefix))[-1]))) == 0

    for name in ("s_iter_900", "s_iter_897"):
        ours, its = (read_weights(f"{run}/{name}.caffemodel") for run in ("killed", "whole"))
        for layer, arrays in its.items():
            for a, b in zip(ours[layer], arrays, strict=True):
                np.testing.assert_array_equal(a, b)
        ours, its = (read_state(f"{run}/{name}.solverstate") for run in ("killed", "whole"))
        assert ours.extra == its.extra
        for a, b in zip(ours.history, its.history, strict=True):
            np.testing.assert_array_equal(a, b)
    assert list(states(Path("killed/s_best")).values()) == list(
        states(Path("whole/s_best")).values()
    )
