"""Algorithms picked by trying them, and remembered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from netdef.run.tuning import DiskTuner
from tests.plan.nets import NETS
from tests.plan.test_meaning import assert_same, build, run


def test_the_fastest_is_picked_once(tmp_path: Path) -> None:
    calls = []

    def takes(seconds: float) -> float:
        calls.append(seconds)
        return seconds

    ways = {"slow": lambda: takes(2.0), "quick": lambda: takes(1.0)}
    tuner = DiskTuner(tmp_path / "folder" / "tuned.json")
    assert [tuner.pick("work", ways), tuner.pick("work", ways)] == ["quick", "quick"]
    assert calls == [2.0, 1.0]
    assert DiskTuner(tmp_path / "folder" / "tuned.json").pick("work", ways) == "quick"
    assert len(calls) == 2


def test_what_is_no_way_any_more_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "tuned.json"
    DiskTuner(path).pick("work", {"old": lambda: 1.0})
    assert DiskTuner(path).pick("work", {"new": lambda: 1.0}) == "new"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 3}', "\xff"])
def test_a_broken_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tuned.json"
    path.write_text(text, "latin-1")
    assert DiskTuner(path).pick("work", {"one": lambda: 1.0}) == "one"
    assert json.loads(path.read_text())


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert DiskTuner(tmp_path / "file" / "tuned.json").pick("work", {"a": lambda: 1.0}) == "a"


def test_a_tuned_net_computes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETDEF_CACHE", str(tmp_path))
    plain = run(build(NETS["residual"], threads=1))
    tuned = build(NETS["residual"], threads=1, autotune=True)
    assert_same(run(tuned), plain, 1e-4)
    (machine,) = json.loads((tmp_path / "autotune.json").read_text()).values()
    assert len(machine) == 2  # three convolutions, two of them alike
    ways = {way.removeprefix("Fast") for way in machine.values()}
    assert ways <= {"Im2col", "WinogradF2", "WinogradF4", "WinogradF5"}
    again = run(build(NETS["residual"], threads=1, autotune=True))
    np.testing.assert_equal(again, run(build(NETS["residual"], threads=1, autotune=True)))
