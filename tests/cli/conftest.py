"""A small net and its solver in a folder of their own, and ways to call commands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]

NET = """name: "tiny"
layer {
  name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param {
    shape { dim: 6 dim: 3 } shape { dim: 6 dim: 2 }
    data_filler { type: "gaussian" } data_filler { type: "constant" value: 0.5 }
  }
}
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = """net: "net.prototxt"
base_lr: 0.1
lr_policy: "fixed"
momentum: 0.9
max_iter: 20
display: 10
test_iter: 2
test_interval: 10
snapshot_prefix: "tiny"
random_seed: 1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with net.prototxt and solver.prototxt in it."""
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def call(folder):
    """Call a command in this process: `call("train", "solver.prototxt")`."""
    from netdef.cli.group import netdef

    def run(*words):
        result = CliRunner().invoke(netdef, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def trained(call, folder):
    """The folder after a training."""
    assert call("train", "solver.prototxt").exit_code == 0
    return folder


@pytest.fixture
def start(folder):
    """Start a command in a process of its own."""
    started = []

    def run(*words, **settings):
        process = subprocess.Popen(
            [sys.executable, "-m", "netdef", *map(str, words)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "NETDEF_THREADS": "1"},
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
