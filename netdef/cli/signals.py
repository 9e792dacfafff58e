"""What signals do to a training."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netdef.run.solver import Solver


class Signals:
    """Turns signals into requests to a solver, for as long as the `with` block lasts.

    A signal with the effect `stop` lets the iteration end, asks for a snapshot, and stops; the
    same or another stopping signal after it quits at once. `snapshot` asks for a snapshot and
    goes on; `none` does nothing.

    Args:
        solver: that trains.
        interrupt: effect of SIGINT, Ctrl-C.
        hangup: effect of SIGHUP.
        say: shows a sentence; called inside of a signal handler, so it must not print by
            buffered streams.

    Attributes:
        stopped_by: number of the signal that stopped the training; None for none.
    """

    def __init__(
        self, solver: Solver, interrupt: str, hangup: str, say: Callable[[str], None]
    ) -> None:
        self.stopped_by: int | None = None
        self._solver = solver
        self._say = say
        self._effects: dict[int, str] = {signal.SIGINT: interrupt, signal.SIGTERM: "stop"}
        if hasattr(signal, "SIGHUP"):  # not on Windows
            self._effects[signal.SIGHUP] = hangup
        self._before: dict[int, Any] = {}

    @property
    def exit_status(self) -> int:
        """128 and the signal's number, as shells count; 0 where none stopped the training."""
        return 0 if self.stopped_by is None else 128 + self.stopped_by

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in self._effects:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        effect = self._effects[number]
        if effect == "none":
            return
        if effect == "stop" and self.stopped_by is not None:
            raise KeyboardInterrupt
        self._solver.request_snapshot()
        if effect == "snapshot":
            self._say("a snapshot follows this iteration")
            return
        self.stopped_by = number
        self._solver.request_stop()
        again = "Ctrl-C again" if number == signal.SIGINT else "the signal again"
        self._say(f"stopping after this iteration, with a snapshot; {again} quits at once")
