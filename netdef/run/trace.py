"""When each step ran, in which shard: what `netdef time` adds up and `--profile` writes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from netdef.diag import NetdefError, Problem
from netdef.plan import Program

_MOST = 1_000_000


class ProfileNotWritten(Problem):
    """The trace that `--profile` asks for cannot be written.

    Name a file in a folder that is there and can be written to.
    """

    code = "N320"


class Event(NamedTuple):
    """One step of one shard, once.

    Attributes:
        step: index into the program's steps; -1 for what is no step of the net.
        way: "forward", "backward", or what it was.
        shard: which shard, 0 for the whole batch.
        begin: nanoseconds of `perf_counter_ns`.
        end: likewise.
    """

    step: int
    way: str
    shard: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class StepTime:
    """Milliseconds that a step took in each pass, its slowest shard's.

    Attributes:
        step: index into the program's steps.
        way: "forward" or "backward".
        passes: one for each pass.
    """

    step: int
    way: str
    passes: tuple[float, ...]


class Trace:
    """Events of the runs of one program; forgets what goes beyond a million."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._marks: list[int] = [0]

    def add(self, event: Event) -> None:
        """Note an event; called from several threads."""
        if len(self.events) < _MOST:
            self.events.append(event)

    def mark(self) -> None:
        """End a pass."""
        self._marks.append(len(self.events))

    def clear(self) -> None:
        """Forget all."""
        self.events.clear()
        self._marks = [0]

    def times(self) -> Iterator[StepTime]:
        """How long each step took, pass by pass."""
        found: dict[tuple[int, str], list[float]] = {}
        passes = len(self._marks) - 1
        for number in range(passes):
            shards: dict[tuple[int, str, int], int] = {}
            for event in self.events[self._marks[number] : self._marks[number + 1]]:
                key = (event.step, event.way, event.shard)
                shards[key] = shards.get(key, 0) + event.end - event.begin
            for (step, way, _), spent in shards.items():
                times = found.setdefault((step, way), [0.0] * passes)
                times[number] = max(times[number], spent / 1e6)
        for (step, way), times in found.items():
            yield StepTime(step, way, tuple(times))

    def write(self, path: str, program: Program) -> None:
        """Write the events in the format that chrome://tracing and Perfetto open.

        Args:
            path: of the JSON file.
            program: whose steps ran.

        Raises:
            NetdefError: the file cannot be written.
        """
        begin = min((event.begin for event in self.events), default=0)
        process = os.getpid()
        what = "shard" if program.shards > 1 else "channels"
        rows = [
            {
                "name": step_name(program, event.step),
                "cat": event.way,
                "ph": "X",
                "ts": (event.begin - begin) / 1e3,
                "dur": (event.end - event.begin) / 1e3,
                "pid": process,
                "tid": event.shard,
                "args": _arguments(program, event),
            }
            for event in self.events
        ]
        names = [
            {
                "name": "thread_name",
                "ph": "M",
                "pid": process,
                "tid": shard,
                "args": {"name": f"{what} {shard}" if program.lanes > 1 else "net"},
            }
            for shard in range(program.lanes)
        ]
        try:
            Path(path).write_text(json.dumps({"traceEvents": [*names, *rows]}), "utf-8")
        except OSError as error:
            reason = error.strerror or error
            raise NetdefError(
                ProfileNotWritten(f"the trace `{path}` cannot be written: {reason}")
            ) from error


def step_name(program: Program, index: int) -> str:
    """A step as people know it: its layer, or what it copies."""
    if index < 0:
        return "update"
    step = program.steps[index]
    if step.layer is None:
        return f"{program.values[step.tops[0]].name} to {step.layout.value}"
    return program.net.nodes[step.node].name


def _arguments(program: Program, event: Event) -> dict[str, str]:
    if event.step < 0:
        return {}
    step = program.steps[event.step]
    if step.layer is None:
        return {"type": "copy"}
    algorithm = step.layer_of(0).algorithm(program.sites[event.step, 0])
    return {"type": step.layer.type} | ({"algorithm": algorithm} if algorithm else {})
