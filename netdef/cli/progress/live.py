"""One live block in a terminal, with tests and snapshots as lines above it."""

from __future__ import annotations

import sys
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from netdef.cli.progress.display import About, Display, duration, number, rate, values
from netdef.cli.progress.plain import finish, headline
from netdef.cli.progress.spark import Spark
from netdef.run import progress

if TYPE_CHECKING:
    from netdef.run.progress import Event

_REFRESHES = 5  # a second
_BAR = 30
_REMEMBER = 0.9  # weight of the past in the speed shown


class Live(Display):
    """Iteration, loss, rate, speed, time left and the last score, redrawn five times a second."""

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._started = perf_counter()
        self._first = self._iteration = 0
        self._last: progress.Iteration | None = None
        self._per_iteration = 0.0
        self._score = ""
        self._doing = ""
        self._message = ""
        self._losses = Spark()
        self._live = RichLive(
            console=self._console,
            get_renderable=self.block,
            refresh_per_second=_REFRESHES,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # the terminal may have gone
            self._live.stop()

    def say(self, text: str) -> None:
        """Show a sentence in the block."""
        self._message = text

    def __call__(self, event: Event) -> None:
        """Take in what has happened; the block shows it with its next refresh."""
        match event:
            case progress.Started():
                self._started = perf_counter()
                self._first = self._iteration = event.iteration
                self._print(headline(self.about, event.iteration), "dim")
            case progress.Iteration():
                self._take(event)
            case progress.Testing():
                self._doing = f"testing on {event.batches} batches"
            case progress.Tested():
                self._doing = ""
                which = f"net {event.net}: " if self.about.tests > 1 else ""
                loss = "" if event.loss is None else f"  test loss {number(event.loss)}"
                self._score = f"{which}{values(event.outputs)}{loss}"
                self._print(f"test at {event.iteration:,}  {self._score}")
            case progress.Snapshotted():
                self._print(f"snapshot at {event.iteration:,}  {event.state}", "dim")
                if self._message.startswith("a snapshot"):
                    self._message = ""
            case progress.Restored():
                self._print(f"resumed at {event.iteration:,}  {event.state}", "dim")
            case progress.Detail():
                self._print(event.text, "dim")
            case progress.Warned():
                self._print(f"warning at {event.iteration:,}  {event.text}", "yellow")
            case progress.Finished():
                self._message = finish(event, perf_counter() - self._started)
                self._live.refresh()

    def _take(self, event: progress.Iteration) -> None:
        self._iteration = event.iteration + 1
        past = _REMEMBER if self._last is not None else 0.0
        self._per_iteration = past * self._per_iteration + (1 - past) * event.seconds
        self._last = event
        self._losses.add(event.smoothed)

    def _print(self, text: str, style: str = "") -> None:
        self._live.console.print(Text(text, style))

    def block(self) -> Group:
        """What the terminal shows now."""
        total = max(self.about.max_iter, 1)
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(self.about.name, "bold"),
            ProgressBar(total, min(self._iteration, total), width=_BAR),
            Text(f"{self._iteration:,}/{self.about.max_iter:,}"),
            Text(rate(1, self._per_iteration), "cyan"),
            Text(self._left(), "dim"),
        )
        lines: list[Table | Text] = [head]
        if self._last is not None:
            line = Text.assemble(
                "loss ",
                (number(self._last.smoothed), "bold"),
                " ",
                (self._losses.text(), "green"),
                "  lr ",
                (number(self._last.lr), "bold"),
                no_wrap=True,
                overflow="ellipsis",
            )
            if self._score:
                line.append(f"  test {self._score}")
            lines.append(line)
        for text, style in ((self._doing, "dim"), (self._message, "yellow")):
            if text:
                lines.append(Text(text, style, no_wrap=True, overflow="ellipsis"))
        return Group(*lines)

    def _left(self) -> str:
        done = self._iteration - self._first
        left = self.about.max_iter - self._iteration
        if not done or left <= 0:
            return ""
        # whole time, tests and snapshots with it: they will come again
        return f"{duration((perf_counter() - self._started) / done * left)} left"
