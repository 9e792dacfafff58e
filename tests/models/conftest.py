"""The models in a folder of their own: what they write does not touch the repository."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `models/` in it, and their databases."""
    folder = tmp_path_factory.mktemp("tree")
    built = shutil.ignore_patterns("*_lmdb", "snapshots", "__pycache__")
    shutil.copytree(ROOT / "models", folder / "models", ignore=built)
    for name in ("digits", "siamese"):
        runpy.run_path(str(folder / "models" / name / "prepare.py"))["main"]()
    return folder


@pytest.fixture
def tree(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`prepared` as the working directory, as the models' READMEs have it."""
    monkeypatch.chdir(prepared)
    return prepared
