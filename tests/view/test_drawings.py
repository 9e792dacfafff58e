"""The drawings in models/drawings are what netdef draws now. `NETDEF_GOLDEN=1` writes them anew."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "models" / "drawings"
_spec = importlib.util.spec_from_file_location("drawings_make", FOLDER / "make.py")
assert _spec is not None
assert _spec.loader is not None
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)


@pytest.fixture(scope="module")
def files():
    return make.files()


def test_the_folder_is_up_to_date(files):
    for name, text in files.items():
        path = FOLDER / name
        if os.environ.get("NETDEF_GOLDEN"):
            path.write_text(text, "utf-8")
        assert path.read_text("utf-8") == text, f"{name}: run models/drawings/make.py and look"
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {*files, "make.py"}


def test_nothing_of_this_machine_is_in_it(files):
    assert not any(str(make.ROOT) in text for text in files.values())
