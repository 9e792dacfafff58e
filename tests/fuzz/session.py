"""One run of the fuzzer: choose, mutate, run, keep what is new, save what fails."""

from __future__ import annotations

import hashlib
import random
import resource
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.coverage import Lines
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import BINARY, TEXT, Target

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus"
_LONGEST = 5.0  # seconds of processor time for one input
_MOST = 20_000  # bytes of one input
_POOL = 3000


class Hang(Exception):
    """An input took too long."""


@dataclass
class Finding:
    """An input that broke something."""

    target: str
    words: str
    data: bytes
    place: str


@dataclass
class Session:
    """A fuzzing run.

    Attributes:
        seed: of all choices: the same seed gives the same inputs.
        folder: where inputs are written for readers of files.
        save: where failing inputs go; None to only report them.
    """

    seed: int
    folder: Path
    save: Path | None = None
    executions: int = 0
    slowest: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    memory: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._pools = {False: seeds(binary=False), True: seeds(binary=True)}

    def run(self, seconds: float, executions: int | None = None, begin: int | None = None) -> None:
        """Run for a time, or a number of inputs.

        Args:
            seconds: after which to stop.
            executions: after which to stop, too.
            begin: how many of the seeds to run as they are; None for all.
        """
        end = time.monotonic() + seconds
        if not self.executions:
            for binary, pool in self._pools.items():
                for data in pool[:begin]:
                    self._all(data, binary=binary)
        while time.monotonic() < end and (executions is None or self.executions < executions):
            binary = self._rng.random() < 0.2
            pool = self._pools[binary]
            # late additions are nearest to what has not been seen yet
            recent = self._rng.random() < 0.3 and len(pool) > 50
            data = self._rng.choice(pool[-50:] if recent else pool)
            data = mutate(self._rng, data, self._rng.choice(pool), binary=binary, most=_MOST)
            if self._all(data, binary=binary) and len(pool) < _POOL:
                pool.append(data)
            if self.executions % 2000 < len(TEXT):
                self.memory.append(_resident())

    def _all(self, data: bytes, *, binary: bool) -> bool:
        """Run all targets on an input; whether any reached new lines."""
        new = 0
        for name, target in (BINARY if binary else TEXT).items():
            new += self.one(name, target, data)
        return new > 0

    def one(self, name: str, target: Target, data: bytes) -> int:
        """Run one target; how many new lines it reached."""
        self.executions += 1
        begin = time.process_time()
        before = signal.signal(signal.SIGPROF, _hang)
        signal.setitimer(signal.ITIMER_PROF, _LONGEST)
        try:
            return self.lines.run(target, data, self.folder)
        except (Exception, RecursionError, MemoryError) as error:
            self._found(name, data, error)
            return 0
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            self.slowest = max(self.slowest, time.process_time() - begin)

    def _found(self, name: str, data: bytes, error: BaseException) -> None:
        frames = [
            f for f in traceback.extract_tb(error.__traceback__) if "/fuzz/" not in f.filename
        ]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        words = f"{type(error).__name__}: {str(error)[:200]}"
        key = f"{name} {type(error).__name__} {place} {str(error)[:20]}"
        if key in self.findings and len(self.findings[key].data) <= len(data):
            return
        self.findings[key] = Finding(name, words, data, place)
        if self.save is not None:
            digest = hashlib.sha1(key.encode()).hexdigest()[:10]
            with suppress(OSError):
                (self.save / f"{name}-{digest}").write_bytes(data)
                stack = "".join(traceback.format_exception(error))[-4000:]
                (self.save / f"{name}-{digest}.txt").write_text(stack, "utf-8", "replace")


def seeds(*, binary: bool) -> list[bytes]:
    """The inputs to begin with: golden nets, models, and the corpus."""
    paths = [*(ROOT / "tests/golden").rglob("*.prototxt"), *(ROOT / "models").rglob("*.prototxt")]
    if binary:
        patterns = ("*.caffemodel", "*.solverstate")
        paths = [p for pattern in patterns for p in (ROOT / "tests/golden").rglob(pattern)]
    names = [p for p in CORPUS.iterdir() if (p.suffix == ".bin") == binary]
    found = [p.read_bytes() for p in sorted([*paths, *names])]
    return [data[:_MOST] for data in found if data] or [b"\x0a\x01a"]


def _hang(number: int, frame: FrameType | None) -> Any:
    raise Hang(f"more than {_LONGEST:g} seconds")


def _resident() -> int:
    """MiB of memory that this process has now; the most it had, where Linux does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() >> 20
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
