"""Lines for people, where stdout is no terminal."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING

from netdef.cli.progress.display import About, Display, duration, number, rate, values
from netdef.run import progress

if TYPE_CHECKING:
    from netdef.run.progress import Event, Output

_PATIENCE = 10.0  # seconds without a line where the solver asks for none


class Plain(Display):
    """A line for each iteration that `display` asks for, each test and each snapshot."""

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._width = len(f"{about.max_iter:,}")
        self._begin = self._last = perf_counter()
        self._seconds = 0.0
        self._iterations = 0

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        for line in self.lines(event):
            print(line, file=sys.stdout, flush=True)

    def lines(self, event: Event) -> list[str]:
        """What to print for an event."""
        match event:
            case progress.Started():
                self._begin = self._last = perf_counter()
                return [headline(self.about, event.iteration)]
            case progress.Iteration():
                return self._iteration(event)
            case progress.Evaluated():
                at = self._at("iteration", event.iteration)
                return [f"{at}  loss {number(event.smoothed)}"]
            case progress.Tested():
                return [self.tested(event)]
            case progress.Snapshotted():
                return [f"{self._at('snapshot', event.iteration)}  {event.state}"]
            case progress.Restored():
                return [f"{self._at('resumed', event.iteration)}  {event.state}"]
            case progress.Detail():
                return [event.text]
            case progress.Warned():
                return [f"{self._at('warning', event.iteration)}  {event.text}"]
            case progress.Finished():
                return [finish(event, perf_counter() - self._begin)]
            case _:
                return []

    def _iteration(self, event: progress.Iteration) -> list[str]:
        self._seconds += event.seconds
        self._iterations += 1
        now = perf_counter()
        quiet = self.about.display == 0 and now - self._last >= _PATIENCE
        if not (event.shown or quiet):
            return []
        self._last = now
        speed = rate(self._iterations, self._seconds) if event.iteration else ""
        self._seconds, self._iterations = 0.0, 0
        words = f"{self._at('iteration', event.iteration)}  loss {number(event.smoothed):<9}"
        words += f"  lr {number(event.lr):<9}  {speed:<10}{_others(event.outputs)}"
        return [words.rstrip()]

    def tested(self, event: progress.Tested) -> str:
        """`test at 500  accuracy 0.98`."""
        which = f"net {event.net}  " if self.about.tests > 1 else ""
        loss = "" if event.loss is None else f"  test loss {number(event.loss)}"
        return f"{self._at('test', event.iteration)}  {which}{values(event.outputs)}{loss}"

    def _at(self, word: str, iteration: int) -> str:
        return f"{word:<9} {iteration:>{self._width},}"


def headline(about: About, iteration: int) -> str:
    """What is about to happen."""
    return (
        f"{about.name}: iterations {iteration:,} to {about.max_iter:,}, "
        f"{about.parameters:,} parameters, "
        f"{about.threads} thread{'s' if about.threads > 1 else ''}, seed {about.seed}"
    )


def finish(event: progress.Finished, seconds: float) -> str:
    """How it ended."""
    word = "stopped" if event.early else "done"
    return f"{word} at {event.iteration:,} after {duration(seconds)}"


def _others(outputs: tuple[Output, ...]) -> str:
    """Outputs beside the one loss that the line shows anyway."""
    if len(outputs) == 1 and outputs[0].loss_weight:
        return ""
    return "  " + values(outputs)
