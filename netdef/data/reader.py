"""What a source of batches is to the rest: a reader."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from netdef.data.tolerance import Tolerance, current


@dataclass(frozen=True, slots=True)
class Context:
    """What a source must know of the run it feeds.

    Attributes:
        train: TRAIN phase: random crops, shuffling.
        seed: of everything random in the source.
        folder: of the prototxt, where relative paths are looked for second.
        tolerance: of broken records.
    """

    train: bool = False
    seed: int = 0
    folder: Path | None = None
    tolerance: Tolerance = field(default_factory=current, compare=False)


class Reader(Protocol):
    """An open source of batches."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the arrays a batch fills, in Caffe's order of axes."""

    def read(self, out: Sequence[NDArray[Any]]) -> None:
        """Fill the arrays with the next batch."""

    def state(self) -> Mapping[str, int]:
        """Where the next batch starts, enough to `restore` the reader there exactly."""

    def restore(self, state: Mapping[str, int]) -> None:
        """Go on as the reader whose `state` this is would have."""

    def close(self) -> None:
        """Release files."""


def find_path(source: str, context: Context) -> Path:
    """Where a path in a prototxt leads: from the working directory, as in Caffe.

    Where there is nothing, the folder of the prototxt is tried, so that a model folder can be
    moved as a whole.
    """
    path = Path(source).expanduser()
    if os.path.exists(path) or context.folder is None:  # Path.exists raises on a name too long
        return path
    beside = context.folder / path
    return beside if os.path.exists(beside) else path
