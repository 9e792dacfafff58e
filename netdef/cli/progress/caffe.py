"""Lines as Caffe's own log has them, for parse_log.py and the many scripts like it."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING

from netdef.cli.progress.display import About, Display
from netdef.run import progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from netdef.run.progress import Event, Output


def prefix(place: str) -> str:
    """What glog puts before a message: `I1120 10:00:00.000000  1234 solver.cpp:239] `."""
    now = datetime.now()
    return f"I{now:%m%d %H:%M:%S}.{now.microsecond:06} {os.getpid():5} {place}] "


def number(value: float) -> str:
    """As C++ prints a double: six digits that count."""
    return f"{value:.6g}"


class CaffeLog(Display):
    """Iterations with rate and outputs, tests, snapshots; with glog's prefix."""

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._last_iteration = 0
        self._last_time = perf_counter()

    def __call__(self, event: Event) -> None:
        """Print the lines of an event."""
        for place, text in self._lines(event):
            print(prefix(place) + text, file=sys.stdout, flush=True)

    def _lines(self, event: Event) -> Iterator[tuple[str, str]]:
        match event:
            case progress.Started():
                self._last_iteration, self._last_time = event.iteration, perf_counter()
                yield "solver.cpp:289", f"Solving {self.about.name}"
                yield "solver.cpp:290", f"Learning Rate Policy: {self.about.policy}"
            case progress.Testing():
                text = f"Iteration {event.iteration}, Testing net (#{event.net})"
                yield "solver.cpp:347", text
            case progress.Tested():
                if event.loss is not None:
                    yield "solver.cpp:402", f"Test loss: {number(event.loss)}"
                for text in score_lines(event.outputs):
                    yield "solver.cpp:414", f"    Test net output {text}"
            case progress.Iteration() if event.shown:
                yield "solver.cpp:239", self._speed(event)
                for text in score_lines(event.outputs):
                    yield "solver.cpp:258", f"    Train net output {text}"
                text = f"Iteration {event.iteration}, lr = {number(event.lr)}"
                yield "sgd_solver.cpp:112", text
            case progress.Snapshotted():
                form = "HDF5 file" if self.about.hdf5 else "binary proto file"
                yield "solver.cpp:464", f"Snapshotting to {form} {event.model}"
                state = f"Snapshotting solver state to {form} {event.state}"
                yield "sgd_solver.cpp:284", state
            case progress.Restored():
                yield "caffe.cpp:241", f"Resuming from {event.state}"
            case progress.Evaluated():
                text = f"Iteration {event.iteration}, loss = {number(event.smoothed)}"
                yield "solver.cpp:332", text
            case progress.Detail():
                yield event.place, event.text
            case progress.Warned():
                yield "solver.cpp:200", event.text
            case progress.Finished():
                early = event.early
                yield (
                    "solver.cpp:337",
                    ("Optimization stopped early." if early else "Optimization Done."),
                )

    def _speed(self, event: progress.Iteration) -> str:
        now = perf_counter()
        lapse = now - self._last_time
        speed = (event.iteration - self._last_iteration) / (lapse or 1)
        self._last_iteration, self._last_time = event.iteration, now
        return (
            f"Iteration {event.iteration} ({number(speed)} iter/s, "
            f"{number(lapse)}s/{self.about.display} iters), loss = {number(event.smoothed)}"
        )


def score_lines(outputs: Iterable[Output]) -> Iterator[str]:
    """`#0: loss = 0.5 (* 1 = 0.5 loss)` for every value of every output."""
    index = 0
    for output in outputs:
        for value in output.values:
            text = f"#{index}: {output.name} = {number(float(value))}"
            if output.loss_weight:
                weighted = number(output.loss_weight * float(value))
                text += f" (* {number(output.loss_weight)} = {weighted} loss)"
            yield text
            index += 1
