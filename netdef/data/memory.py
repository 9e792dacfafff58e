"""Batches from arrays in memory: what a MemoryData layer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import DataError


class MemoryReader:
    """Batches of arrays that a program gives, over and over.

    The arrays are read in place: what is changed in them shows in the next batch.

    Args:
        shape: (N, C, H, W) of a batch.

    Attributes:
        shapes: of data and labels.
    """

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self.shapes: tuple[tuple[int, ...], ...] = (shape, shape[:1])
        self._data: NDArray[Any] | None = None
        self._labels: NDArray[Any] = np.zeros(0, np.float32)
        self._row = 0

    def set_arrays(self, data: NDArray[Any], labels: NDArray[Any]) -> None:
        """Read from these arrays from now on, from their start.

        Args:
            data: (M, C, H, W), M a multiple of the batch.
            labels: M values.

        Raises:
            ValueError: the arrays do not fit.
        """
        batch, *example = self.shapes[0]
        if data.ndim != 4 or list(data.shape[1:]) != example:
            raise ValueError(f"the data is {data.shape}, the layer takes (M, {_row(example)})")
        if not len(data) or len(data) % batch:
            raise ValueError(f"{len(data)} examples are no multiple of the batch of {batch}")
        if labels.size != len(data) or len(labels) != len(data):
            raise ValueError(f"the labels are {labels.shape}, for {len(data)} examples")
        self._data, self._labels, self._row = data, labels.reshape(-1), 0

    def read(self, out: Sequence[NDArray[Any]]) -> None:
        """Fill the arrays with the next batch.

        Raises:
            DataError: no arrays were given.
        """
        if self._data is None:
            raise DataError(
                "a MemoryData layer has no data yet",
                "give it some before forward: `net.set_input_arrays(data, labels)`",
            )
        rows = slice(self._row, self._row + self.shapes[0][0])
        for array, values in zip(out, (self._data, self._labels), strict=True):
            array[...] = values[rows]
        self._row = rows.stop % len(self._data)

    def state(self) -> Mapping[str, int]:
        """Where the next batch starts, enough to `restore` the reader there exactly."""
        return {"row": self._row}

    def restore(self, state: Mapping[str, int]) -> None:
        """Go on as the reader whose `state` this is would have, given the same arrays.

        Raises:
            DataError: it is not the state of such a reader.
        """
        row = state.get("row", -1)
        if row < 0 or (self._data is not None and row >= len(self._data)):
            raise DataError(f"`{dict(state)}` says no place in the data")
        self._row = row

    def close(self) -> None:
        """Let go of the arrays."""
        self._data = None


def _row(example: Sequence[int]) -> str:
    return ", ".join(map(str, example))
