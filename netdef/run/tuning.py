"""Which way to compute is fastest here: tried once, then read from a file."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np


class DiskTuner:
    """Tries the ways that a layer names, and remembers the fastest for this machine.

    Choices by time differ from run to run, and with them the last digits; what the file holds
    is taken as it is, so that runs agree from the second on. A file that cannot be read counts
    as empty, one that cannot be written is not written.

    Args:
        path: of the file; None for `autotune.json` in netdef's folder of the user's caches.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or _folder() / "autotune.json"
        self._machine = f"{_processor()}, NumPy {np.__version__}"
        self._known = self._read()

    def pick(self, what: str, ways: Mapping[str, Callable[[], float]]) -> str:
        """The fastest way.

        Args:
            what: the work, with all sizes that decide.
            ways: by name, what measures it and returns seconds.
        """
        chosen = self._known.get(what)
        if chosen is None or chosen not in ways:
            times = {name: measure() for name, measure in ways.items()}
            chosen = self._known[what] = min(times, key=times.__getitem__)
            self._write()
        return chosen

    def _read(self) -> dict[str, str]:
        with suppress(OSError, ValueError, AttributeError):
            found = json.loads(self._path.read_text("utf-8")).get(self._machine, {})
            return {str(key): str(way) for key, way in found.items()}
        return {}

    def _write(self) -> None:
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            everything: dict[str, dict[str, str]] = {}
            with suppress(OSError, ValueError):
                everything = json.loads(self._path.read_text("utf-8"))
            everything = everything if isinstance(everything, dict) else {}
            everything[self._machine] = self._known
            # beside it and then in its place: two runs at once leave a whole file
            with tempfile.NamedTemporaryFile(
                "w", dir=self._path.parent, delete=False, encoding="utf-8"
            ) as file:
                json.dump(everything, file, indent=1, sort_keys=True)
            os.replace(file.name, self._path)


def tuner(asked: bool | None = None) -> DiskTuner | None:  # noqa: FBT001  # an answer, or none
    """What picks algorithms by time: as asked, else where NETDEF_AUTOTUNE is 1."""
    if asked is None:
        asked = os.environ.get("NETDEF_AUTOTUNE", "0") not in ("", "0")
    return DiskTuner() if asked else None


def _folder() -> Path:
    named = os.environ.get("NETDEF_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netdef"


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
