"""One JSON object a line, for programs."""

from __future__ import annotations

import json
import sys
from math import isfinite
from time import time
from typing import TYPE_CHECKING, Any

from netdef.cli.progress.display import Display
from netdef.run import progress

if TYPE_CHECKING:
    from netdef.run.progress import Event, Output

_NAMES = {
    progress.Started: "start",
    progress.Iteration: "train",
    progress.Evaluated: "end",
    progress.Tested: "test",
    progress.Snapshotted: "snapshot",
    progress.Restored: "resume",
    progress.Warned: "warning",
    progress.Finished: "finish",
}


class JsonLines(Display):
    """An object for each event, with `event`, `iteration` and `time` (seconds of the epoch).

    Iterations are those that `display` asks for, all of them where it is 0. Values that JSON
    does not know, NaN and infinities, are null.
    """

    def __call__(self, event: Event) -> None:
        """Print an event as an object."""
        name = _NAMES.get(type(event))
        if name is None:
            return
        if isinstance(event, progress.Iteration) and not event.shown and self.about.display:
            return
        about: dict[str, Any] = {"event": name, "time": round(time(), 3)}
        if isinstance(event, progress.Started):
            about |= {"net": self.about.name, "seed": self.about.seed}
            about |= {"parameters": self.about.parameters, "threads": self.about.threads}
        for key, value in _fields(event).items():
            about[key] = value
        print(json.dumps(about, allow_nan=False), file=sys.stdout, flush=True)


def _fields(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in type(event).__dataclass_fields__:
        value = getattr(event, field)
        if field == "outputs":
            found[field] = {output.name: plain(output) for output in value}
        elif field != "shown":
            found[field] = known(value)
    return found


def plain(output: Output) -> Any:
    """An output's value; a list where there are several."""
    found = [known(float(value)) for value in output.values]
    return found[0] if len(found) == 1 else found


def known(value: Any) -> Any:
    """A value that JSON has."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, int | str | None) else str(value)
