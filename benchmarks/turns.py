"""Programs that take turns: each in a process of its own, so that load meets all alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.worker import together

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "bench"  # ignored by git: prototxt, weights and exported models

_OTHER_MACHINES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
)
_TICKS = os.sysconf("SC_CLK_TCK")
_SHORT = 0.05  # seconds: below it a turn's first step meets caches that others have filled


@dataclass(frozen=True, slots=True)
class Program:
    """Something to measure.

    Attributes:
        name: for tables.
        module: to run with `python -m`.
        arguments: for the module.
        peer: whether it runs in the peers' Python, see BENCH_PEERS.
        settings: more for its environment.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    peer: bool = True
    settings: tuple[tuple[str, str], ...] = ()

    def command(self) -> list[str]:
        """What to start."""
        python = peers_python() if self.peer else sys.executable
        return [python, "-m", self.module, *self.arguments]


@dataclass(slots=True)
class Result:
    """What was measured of one program.

    Attributes:
        seconds: of each step.
        start: from starting the process until it was ready for its first step.
        parts: seconds of the parts of the start, as the program names them.
        first: seconds of the first step.
        peak_mib: the most memory held while stepping, the net's own included.
        facts: versions and the like.
        failure: the last line of what went wrong; "" for nothing.
    """

    seconds: list[float] = field(default_factory=list)
    start: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    first: float = 0.0
    peak_mib: float = 0.0
    facts: dict[str, object] = field(default_factory=dict)
    failure: str = ""

    def record(self) -> dict[str, object]:
        """For the file of results, in milliseconds."""
        if self.failure or not self.seconds:
            return {"failure": self.failure or "no steps"}
        return {
            "min": 1e3 * min(self.seconds),
            "median": 1e3 * median(self.seconds),
            "steps": len(self.seconds),
            "start": 1e3 * self.start,
            "parts": {name: 1e3 * seconds for name, seconds in self.parts.items()},
            "first": 1e3 * self.first,
            "peak_mib": self.peak_mib,
            **self.facts,
        }


def peers_python() -> str:
    """The Python that has torch and the others: BENCH_PEERS, else this one."""
    return os.environ.get("BENCH_PEERS") or sys.executable


def environment(threads: int) -> dict[str, str]:
    """The environment of a program that may use so many threads.

    Settings that hold a BLAS to some other machine's kernels are left out: each library is to
    choose what suits this one.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NETDEF_THREADS")
    kept = {name: value for name, value in os.environ.items() if name not in _OTHER_MACHINES}
    return {**kept, **dict.fromkeys(names, str(threads)), "PYTHONPATH": str(ROOT)}


class _Running:
    """A program that was started."""

    def __init__(self, program: Program, threads: int) -> None:
        self.result = Result()
        begin = perf_counter()
        log = WORK / f"{program.name.replace(' ', '_')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("w+")
        self._process = subprocess.Popen(
            program.command(),
            cwd=ROOT,
            env=environment(threads) | dict(program.settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        ready = self._hear()
        self.result.start = perf_counter() - begin
        if ready is not None:
            self.result.parts = ready["ready"]

    def _hear(self) -> dict | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        self.result.failure = lines[-1] if lines else "it ended without a word"
        return None

    def turn(self, steps: int) -> list[float]:
        """Take some steps; their seconds, or nothing once it has failed."""
        if self.result.failure:
            return []
        assert self._process.stdin is not None
        try:
            print(steps, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            self._hear()
            return []
        heard = self._hear()
        return [] if heard is None else heard["seconds"]

    def cpu_seconds(self) -> float:
        """What it and its processes have used so far; 0 where the system does not say."""
        used = 0
        try:
            for process in together(self._process.pid):
                words = (process / "stat").read_text().rpartition(")")[2].split()
                used += int(words[11]) + int(words[12])
        except OSError:
            return 0.0
        return used / _TICKS

    def close(self) -> None:
        """Let it say its peak and end."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        if not self.result.failure:
            heard = self._hear()
            if heard is not None:
                self.result.peak_mib, self.result.facts = heard["peak_mib"], heard["facts"]
        else:
            self._process.kill()
        with self._process, self._log:  # waits, and closes what is open
            pass


def measure(
    programs: Sequence[Program], threads: int, rounds: int, turn_seconds: float = 0.4
) -> tuple[dict[str, Result], float]:
    """Start all programs and let them take turns.

    Args:
        programs: what to measure.
        threads: each may use.
        rounds: turns for each.
        turn_seconds: length of a turn; at least one step.

    Returns:
        The results by name, and how many processors others kept busy meanwhile, on average.
    """
    running = {program.name: _Running(program, threads) for program in programs}
    lengths: dict[str, int] = {}
    for name, one in running.items():
        warm = one.turn(2)
        if warm:
            one.result.first = warm[0]
            lengths[name] = max(1, min(200, round(turn_seconds / warm[-1])))
    begin, busy = perf_counter(), _busy()
    used = sum(one.cpu_seconds() for one in running.values())
    order = list(lengths.items())
    for _ in range(rounds if order else 0):
        order.append(order.pop(0))  # nobody always follows the same one
        for name, steps in order:
            short = steps > 1 and turn_seconds / steps < _SHORT
            seconds = running[name].turn(steps + short)
            running[name].result.seconds += seconds[short:]
    used = sum(one.cpu_seconds() for one in running.values()) - used
    others = max(0.0, _busy() - busy - used) / (perf_counter() - begin)
    for one in running.values():
        one.close()
    return {name: one.result for name, one in running.items()}, others


def _busy() -> float:
    """Processor seconds that all processes have used; 0 where the system does not say."""
    try:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = map(int, words[:8])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def run(module: str, arguments: Sequence[str], *, peer: bool, threads: int = 2) -> str:
    """Run a module to its end.

    Returns:
        What it printed.

    Raises:
        RuntimeError: it failed; with the last line of what it said.
    """
    program = Program(module, module, tuple(arguments), peer)
    done = subprocess.run(
        program.command(),
        cwd=ROOT,
        env=environment(threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it ended without a word"]
        raise RuntimeError(f"{module}: {lines[-1]}")
    return done.stdout
