"""A short fuzzing run, and every input that once broke something."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.fuzz.session import CORPUS, Session  # noqa: E402
from tests.fuzz.targets import BINARY, TEXT  # noqa: E402

FOUND = sorted(path for path in CORPUS.iterdir() if path.suffix in (".prototxt", ".bin"))


@pytest.mark.parametrize("path", FOUND, ids=lambda p: p.name)
def test_found_cases_stay_mended(path, tmp_path):
    for target in (BINARY if path.suffix == ".bin" else TEXT).values():
        target(path.read_bytes(), tmp_path)


def test_seeds_and_their_mutations_break_nothing(tmp_path):
    session = Session(seed=2014, folder=tmp_path)
    session.run(seconds=10, executions=150, begin=20)
    assert not session.findings, [(f.target, f.words, f.place) for f in session.findings.values()]
    assert len(session.lines) > 1000


def test_a_failure_is_a_finding(tmp_path):
    session = Session(seed=0, folder=tmp_path, save=tmp_path)

    def breaks(data, folder):
        raise IndexError("no")

    session.one("broken", breaks, b"input")
    assert [f.words for f in session.findings.values()] == ["IndexError: no"]
    assert any(p.read_bytes() == b"input" for p in tmp_path.iterdir())


def test_a_hang_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.fuzz.session._LONGEST", 0.05)
    session = Session(seed=0, folder=tmp_path)

    def hangs(data, folder):
        while True:
            pass

    session.one("slow", hangs, b"input")
    assert [f.words[:5] for f in session.findings.values()] == ["Hang:"]
