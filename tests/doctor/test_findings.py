"""Nets broken on purpose give the finding that their first line names; healthy nets give none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netdef
from netdef.api.diagnosing import diagnose, fixed

HERE = Path(__file__).resolve().parent / "nets"
BROKEN = sorted(p.stem for p in (HERE / "broken").glob("*.prototxt") if "solver" not in p.name)
HEALTHY = sorted(p.stem for p in (HERE / "healthy").glob("*.prototxt") if "solver" not in p.name)
# What a changed prototxt cannot cure: the data and the order of its labels.
NO_FIX = {"labels_shuffled", "many_sigmoids", "not_finite", "rate_too_small", "raw_pixels"}


def solver_of(model: Path):
    own = model.with_suffix(".solver.prototxt")
    solver = own if own.exists() else model.parents[1] / "solver.prototxt"
    return netdef.load_solver(solver, model=model, threads=1)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_nets_get_their_finding(nets, name):
    model = nets / "broken" / f"{name}.prototxt"
    expected = re.search(r"expect: (.*?)\.", model.read_text())[1].split(", ")

    found = diagnose(solver_of(model)).findings

    assert [problem.code for problem in found] == expected
    assert found[0].span is not None
    assert found[0].help


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_nets_get_none(nets, name):
    found = diagnose(solver_of(nets / "healthy" / f"{name}.prototxt")).findings

    assert [str(p.message) for p in found] == []


@pytest.mark.parametrize("name", [name for name in BROKEN if name not in NO_FIX])
def test_fixed_nets_get_none(nets, name):
    model = nets / "broken" / f"{name}.prototxt"
    solver = model.with_suffix(".solver.prototxt")
    solver = solver if solver.exists() else nets / "solver.prototxt"
    before = {path: path.read_text() for path in (model, solver)}
    try:
        changed = fixed(diagnose(solver_of(model)).findings)
        assert changed
        for text in changed:
            text.write()
        assert [str(p.message) for p in diagnose(solver_of(model)).findings] == []
    finally:
        for path, text in before.items():
            path.write_text(text)
