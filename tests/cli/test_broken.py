"""Nets and solvers as people really broke them, with the exact report beside each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from netdef.api import check
from netdef.api.fixing import fix
from netdef.diag.render import render

BROKEN = Path(__file__).resolve().parents[1] / "golden" / "broken"
CASES = sorted(BROKEN.glob("*.prototxt"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with what the nets and solvers name."""
    for file in (BROKEN / "beside").iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write_images(folder: Path) -> None:
    from PIL import Image

    lines = []
    for number in range(5):
        Image.new("RGB", (2, 3)).save(folder / f"{number}.png")
        lines.append(f"{number}.png {number % 2}\n")
    (folder / "images.txt").write_text("".join(lines))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_report(path, here, golden):
    shutil.copy(path, here)
    if path.stem == "solver_partial_test":
        _write_images(here)
    report = check(path.name)
    golden(path.with_suffix(".txt"), render(report) + "\n")
    assert len(report) or path.stem == "lint_turned_off"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_fixes_mend_what_they_say(path, here):
    """After --fix no safe fix is left, and no error is there that was not there before."""
    shutil.copy(path, here)
    before = check(path.name)
    rewritten, count = fix(path.name)
    fixable = sum(problem.fixable for problem in before)
    assert count >= fixable
    assert rewritten.changed == bool(count)
    (here / path.name).write_bytes(rewritten.after)
    after = check(path.name)
    assert not any(problem.fixable for problem in after)
    if fixable:
        text = rewritten.after.decode()
        again, more = fix(path.name)
        assert (again.after.decode(), more) == (text, 0)


def test_there_are_enough():
    assert len(CASES) >= 40
