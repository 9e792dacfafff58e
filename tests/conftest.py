"""What tests of all packages use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def golden() -> Callable[[Path, str], None]:
    """Compares a text with the file that holds what it should be.

    With NETDEF_GOLDEN set (`make golden`) the file is written instead: read its diff.
    """

    def compare(path: Path, text: str) -> None:
        if os.environ.get("NETDEF_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        assert path.exists(), f"there is no {path.name} yet: make golden"
        assert text == path.read_text("utf-8")

    return compare
