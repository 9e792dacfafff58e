"""Takes down a training as it goes on."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from time import time
from typing import Any, Protocol

import numpy as np

from netdef.diag import NetdefError
from netdef.doctor.record.event_file import EventFile
from netdef.doctor.record.problems import NotRecorded
from netdef.doctor.watching import Look
from netdef.run.net import Net
from netdef.run.progress import Event, Finished, Iteration, Output, Tested


class Recorder(Protocol):
    """Whoever takes down events and looks."""

    def event(self, event: Event) -> None:
        """Something happened in a training."""

    def look(self, look: Look) -> None:
        """A watcher has measured the net; its params still hold their gradients."""

    def close(self) -> None:
        """The training has ended."""


class TensorBoard:
    """Writes loss, rate, scores, and histograms of params and gradients, for TensorBoard.

    Args:
        folder: for the event file.
        net: that is trained.

    Raises:
        NetdefError: the folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str], net: Net) -> None:
        self._file = EventFile(folder)
        self._net = net

    @property
    def path(self) -> Path:
        """The file that is written."""
        return self._file.path

    def event(self, event: Event) -> None:
        """Note what is a number."""
        for tag, value, step in numbers(event):
            self._file.scalar(tag, value, step)
        if isinstance(event, Tested | Finished):
            self._file.flush()

    def look(self, look: Look) -> None:
        """Note histograms of all params and their gradients, and sizes layer by layer."""
        for tag, value in sizes(look):
            self._file.scalar(tag, value, look.iteration)
        for param in self._net.learned:
            name = f"{param.layer}/{param.role.replace(' ', '_')}"
            self._file.histogram(name, param.data, look.iteration)
            if param.learns:
                self._file.histogram(f"{name}_grad", param.diff, look.iteration)
        self._file.flush()

    def close(self) -> None:
        """Write no more."""
        self._file.close()


class MetricsFile:
    """Writes a line for each iteration, test and look: JSON objects, or CSV.

    Args:
        path: ends in .jsonl or .csv; a file that is there is written anew.

    Raises:
        NetdefError: it cannot be written, or ends otherwise.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)
        self._csv = name.endswith(".csv")
        if not self._csv and not name.endswith((".jsonl", ".json")):
            raise NetdefError(
                NotRecorded(
                    f"what to write into `{name}` is not clear",
                    help="let its name end in .jsonl or .csv",
                )
            )
        try:
            # line by line, so that a running training can be plotted
            self._file = open(name, "w", buffering=1, encoding="utf-8", newline="")  # noqa: SIM115
        except OSError as error:
            raise NetdefError(
                NotRecorded(f"`{name}` cannot be written: {error.strerror}")
            ) from error
        self._writer = csv.writer(self._file, lineterminator="\n")
        if self._csv:
            self._writer.writerow(["iteration", "time", "name", "value"])

    def event(self, event: Event) -> None:
        """Note what is a number."""
        found = list(numbers(event))
        if found:
            self._write(found[0][2], [(tag, value) for tag, value, _ in found])

    def look(self, look: Look) -> None:
        """Note sizes layer by layer."""
        self._write(look.iteration, list(sizes(look)))

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _write(self, step: int, pairs: list[tuple[str, float]]) -> None:
        now = round(time(), 3)
        if self._csv:
            self._writer.writerows([step, now, tag, repr(value)] for tag, value in pairs)
            return
        about: dict[str, Any] = {"iteration": step, "time": now}
        about |= {tag: value if isfinite(value) else None for tag, value in pairs}
        self._file.write(json.dumps(about) + "\n")


def numbers(event: Event) -> Iterator[tuple[str, float, int]]:
    """Name, value and iteration of each number of an event."""
    if isinstance(event, Iteration):
        yield "train/loss", event.loss, event.iteration
        yield "train/smoothed", event.smoothed, event.iteration
        yield "train/lr", event.lr, event.iteration
        for name, value in _values(event.outputs):
            if name not in ("loss", "lr", "smoothed"):
                yield f"train/{name}", value, event.iteration
    elif isinstance(event, Tested):
        place = f"test{event.net}" if event.net else "test"
        for name, value in _values(event.outputs):
            yield f"{place}/{name}", value, event.iteration


def sizes(look: Look) -> Iterator[tuple[str, float]]:
    """Size of the gradients and updates of each param, and share of dead units."""
    for param in look.params:
        if param.learns and param.gradient.count:
            name = f"{param.layer}/{param.role.replace(' ', '_')}"
            yield f"gradient/{name}", float(np.sqrt(param.gradient.squares))
            if param.ratios:
                yield f"update/{name}", param.ratio
    for blob in look.blobs:
        if blob.dead is not None and blob.units:
            yield f"dead/{blob.layer}", blob.dead / blob.units


def _values(outputs: tuple[Output, ...]) -> Iterator[tuple[str, float]]:
    """Outputs of one value."""
    for output in outputs:
        if output.values.size == 1:
            yield output.name, float(output.values[0])
