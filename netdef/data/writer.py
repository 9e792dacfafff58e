"""What a writer of batches is to the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray


class Writer(Protocol):
    """Takes batches that a net computed."""

    def write(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Write a batch: one array for each bottom, in Caffe's order of axes."""

    def close(self) -> None:
        """Release files."""
