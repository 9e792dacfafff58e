"""What all displays of a training have in common."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from netdef.run.progress import Event, Output
    from netdef.run.solver import Solver

_MOST_VALUES = 4


@dataclass(frozen=True, slots=True)
class About:
    """What a display says of a training that its events do not.

    Attributes:
        name: of the net.
        max_iter: iterations in all.
        display: iterations from one line to the next; 0 for none.
        policy: of the rate.
        parameters: values that are learned.
        threads: parts of the batch computed side by side.
        seed: of everything random.
        tests: number of test nets.
        hdf5: snapshots are HDF5.
    """

    name: str
    max_iter: int
    display: int
    policy: str
    parameters: int
    threads: int
    seed: int
    tests: int
    hdf5: bool

    @classmethod
    def of(cls, solver: Solver) -> About:
        """What there is to say about a solver."""
        param = solver.param
        return cls(
            solver.net.name or "net",
            param.max_iter,
            param.display,
            param.lr_policy,
            sum(learned.count for learned in solver.net.learned),
            solver.net.program.shards,
            solver.seed,
            len(solver.test_nets),
            param.snapshot_format == type(param).HDF5,
        )


class Display(ABC):
    """Shows a training; a context manager around it."""

    def __init__(self, about: About) -> None:
        self.about = about

    @abstractmethod
    def __call__(self, event: Event) -> None:
        """Show what has happened."""

    def say(self, text: str) -> None:
        """Show a sentence, from inside of a signal handler."""
        # a handler may have interrupted a buffered stream in the middle of a write
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{text}\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027  only the live one has to tidy up
        """Leave the terminal as it was."""


def number(value: float) -> str:
    """A loss or a score: four digits that count."""
    return f"{value:.4g}"


def values(outputs: Iterable[Output]) -> str:
    """`accuracy 0.9867  loss 0.0591`; of many values the first few."""
    words = []
    for output in outputs:
        shown = " ".join(number(float(v)) for v in output.values[:_MOST_VALUES])
        more = " …" if output.values.size > _MOST_VALUES else ""
        words.append(f"{output.name} {shown}{more}")
    return "  ".join(words)


def duration(seconds: float) -> str:
    """`31 ms`, `9.3 s`, `4:05`, `1:02:03`."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rate(iterations: float, seconds: float) -> str:
    """`412 it/s`; slow ones as `3.2 s/it`."""
    if not iterations or not seconds:
        return ""
    speed = iterations / seconds
    return f"{speed:.3g} it/s" if speed >= 1 else f"{1 / speed:.3g} s/it"
