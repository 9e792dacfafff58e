"""A measured program's side of the bench: builds once, then works when it is told to.

The program says JSON lines on its standard output. First `ready` with how long its parts took;
then, for each number it reads, the seconds of that many steps. At the end of its input it says
how much memory it used, and which versions.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Step = Callable[[], object]


class Worker:
    """Times the parts of a program's start, and then its steps."""

    def __init__(self) -> None:
        # What libraries print must not come between the lines.
        self._voice = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self._parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part of the start: "import", "build" and the like."""
        begin = perf_counter()
        yield
        self._parts[name] = perf_counter() - begin

    def serve(
        self,
        step: Step,
        facts: Callable[[], dict[str, object]],
        result: Path | None = None,
    ) -> None:
        """Take steps as told, until there is no more to read.

        Args:
            step: one training step, or one forward pass; returns what `result` keeps.
            facts: what else there is to say at the end, like versions.
            result: where the first step's arrays go as .npy, for comparing.
        """
        _forget_peak()
        self._say(ready=self._parts)
        for line in sys.stdin:
            seconds = []
            for _ in range(int(line)):
                begin = perf_counter()
                value = step()
                seconds.append(perf_counter() - begin)
                if result is not None:
                    import numpy as np

                    np.save(result, np.asarray(value))
                    result = None
            self._say(seconds=seconds)
        peak = peak_mib()
        self._say(peak_mib=peak, facts=facts())

    def _say(self, **words: object) -> None:
        print(json.dumps(words), file=self._voice, flush=True)


def _forget_peak() -> None:
    """Let the peak start from what is held now: reading weights is no part of a step."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # man 5 proc: resets VmHWM


def peak_mib() -> float:
    """The most memory the process held since the peak was forgotten, in MiB.

    Where others work with it, what all of them hold now, shared memory counted once: they hold
    it for as long as they live, and not all of them at its peak at once.
    """
    return max(_own_peak_mib(), _held_together_mib())


def _held_together_mib() -> float:
    """What the process and its children hold, in MiB; 0 where the system does not tell."""
    with suppress(OSError):
        held = 0
        for process in together(os.getpid()):
            for line in (process / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):  # a page of two processes counts half in each
                    held += int(line.split()[1])
        return held / 1024
    return 0.0


def together(pid: int) -> list[Path]:
    """Where Linux tells of a process, and of its children.

    Raises:
        OSError: the process is gone, or this is not Linux.
    """
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path("/proc", str(one)) for one in (pid, *children)]


def _own_peak_mib() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def batch(shape: tuple[int, ...], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The same images and labels for every program: normal numbers, classes in turn."""
    import numpy as np

    images = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    return images, np.arange(shape[0]) % classes
