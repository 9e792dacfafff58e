"""`netdef diagnose`, `gradcheck`, `lr-range`, `plot`, and what goes along with `train`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

SIGNAL = Path(__file__).resolve().parents[2] / "models" / "signal"


@pytest.fixture
def signal(folder):
    """The seed's nets, in the working directory."""
    for path in SIGNAL.glob("*.prototxt"):
        shutil.copy(path, folder / path.name.replace("solver", "signal_solver"))
    return folder


def test_the_finding_is_printed_and_mended(call, signal):
    before = call("diagnose", "two_hidden.prototxt", "signal_solver.prototxt")
    assert before.exit_code == 1
    assert "warning[N803]: `W`, `W1` and `W2` start with gaussian std 0.001" in before.output
    assert "two_hidden.prototxt:21:19" in before.output
    text = (signal / "two_hidden.prototxt").read_text()

    call("diagnose", "two_hidden.prototxt", "signal_solver.prototxt", "--diff")
    assert (signal / "two_hidden.prototxt").read_text() == text
    call("diagnose", "two_hidden.prototxt", "signal_solver.prototxt", "--fix")
    mended = (signal / "two_hidden.prototxt").read_text()
    assert mended.count('weight_filler { type: "xavier" }') == 3
    assert mended.splitlines()[0] == text.splitlines()[0]  # comments stay

    after = call("diagnose", "two_hidden.prototxt", "signal_solver.prototxt")
    assert after.exit_code == 0
    assert "nothing is wrong" in after.output


def test_figures_as_json(call, signal):
    found = call("diagnose", "two_hidden.prototxt", "signal_solver.prototxt", "--json")
    about = json.loads(found.stdout)
    assert [f["code"] for f in about["findings"]] == ["N803"]
    assert about["findings"][0]["line"] == 21
    assert {p["layer"] for p in about["params"]} == {"O", "O1", "O2"}


def test_gradcheck(call):
    found = call("gradcheck", "net.prototxt")
    assert found.exit_code == 0
    assert "all gradients agree" in found.output


def test_lr_range(call):
    found = call("lr-range", "solver.prototxt", "--iterations", 60)
    assert found.exit_code == 0
    assert "write `base_lr: " in found.output


def test_train_with_all_that_goes_along(call, folder):
    done = call(
        "train", "solver.prototxt", "--metrics", "m.jsonl", "--tensorboard", "tb", "--watch=5"
    )
    assert done.exit_code == 0
    assert "watching took" in done.stderr
    assert len(list((folder / "tb").iterdir())) == 1
    plotted = call("plot", "m.jsonl")
    assert "train/smoothed" in plotted.output
    assert "ip/weight" in plotted.output


@pytest.mark.parametrize("form", ["caffe", "jsonl", "pretty"])
def test_logs_of_netdef_are_plotted(call, folder, form):
    log = call("train", "solver.prototxt", "--log-format", form).stdout
    (folder / "run.log").write_text(log)
    plotted = call("plot", "run.log").output
    assert ("train/smoothed" if form == "jsonl" else "train/loss") in plotted
    assert "test/loss" in plotted
    assert "nan" not in plotted


def test_debug_info_is_printed(call):
    log = call("train", "solver.prototxt", "--set", "debug_info=true", "--dry-run").output
    assert "[Forward] Layer ip, top blob ip data: " in log
    assert "not" not in log.partition("[Forward]")[0]


def test_a_dry_run(call, folder):
    before = sorted(folder.iterdir())
    assert call("train", "solver.prototxt", "--dry-run").exit_code == 0
    assert sorted(folder.iterdir()) == before


def test_nan_ends_a_watched_training(call, folder):
    done = call("train", "solver.prototxt", "--set", "base_lr=1e30", "--watch")
    assert done.exit_code == 1
    assert "N801" in done.stderr
    assert not list(folder.glob("*.caffemodel"))
