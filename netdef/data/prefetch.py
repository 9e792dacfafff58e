"""Reading ahead in a thread, so that training never waits for data that the disk can deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Protocol
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import DataError

Arrays = list[NDArray[np.float32]]


class Batches(Protocol):
    """A source whose every batch is a function of where it starts.

    That is what makes reading ahead and going on exactly both simple: `fill` remembers nothing
    that changes what it writes. One thread at a time calls it.
    """

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the arrays a batch fills; the first axis of all is the batch."""

    @property
    def seed(self) -> int:
        """Of everything random."""

    def reseed(self, seed: int) -> None:
        """Go on with another seed."""

    def fill(self, first: int, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the batch that starts with record `first`, counted from 0 since the run began.

        Raises:
            DataError: a record is broken or does not fit.
        """

    def close(self) -> None:
        """Release files."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """What the thread hands over: a batch, or why there is none."""

    first: int
    arrays: Arrays
    error: BaseException | None = None


class _Ahead:
    """The thread and its buffers. Knows no reader, so that a forgotten reader can end it."""

    def __init__(self, batches: Batches, first: int, depth: int) -> None:
        self.filled: SimpleQueue[_Filled] = SimpleQueue()
        self.free: SimpleQueue[Arrays] = SimpleQueue()
        for _ in range(depth):
            self.free.put([np.zeros(shape, np.float32) for shape in batches.shapes])
        self._stop = Event()
        self._thread = Thread(
            target=self._run, args=(batches, first), name="netdef data", daemon=True
        )
        self._thread.start()

    def _run(self, batches: Batches, first: int) -> None:
        step = batches.shapes[0][0]
        while True:
            arrays = self.free.get()
            if self._stop.is_set():
                return
            try:
                batches.fill(first, arrays)
            except BaseException as error:  # whatever it is, it belongs to who waits
                self.filled.put(_Filled(first, arrays, error))
                return
            self.filled.put(_Filled(first, arrays))
            first += step

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stop.set()
        self.free.put([])  # wakes it
        self._thread.join()


class BatchReader:
    """The reader of a `Batches`: its position, and a thread that reads ahead.

    Args:
        batches: the source, closed with the reader.
        prefetch: how many batches are made ahead at most, each in memory; 0 for no thread.
            What is read is the same for all.
    """

    def __init__(self, batches: Batches, prefetch: int = 4) -> None:
        self._batches = batches
        self._prefetch = prefetch
        self._record = 0
        self._ahead: _Ahead | None = None
        self._error: BaseException | None = None
        self._end: finalize[[], BatchReader] | None = None
        self._closed = False

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the arrays a batch fills, in Caffe's order of axes."""
        return self._batches.shapes

    def read(self, out: Sequence[NDArray[Any]]) -> None:
        """Fill the arrays with the next batch.

        Args:
            out: one array for each of `shapes`, of any float type.

        Raises:
            DataError: a record of the batch is broken or does not fit; again at every call,
                until `restore` leads elsewhere.
        """
        if self._closed:
            raise ValueError("the reader is closed")
        if self._prefetch:
            self._take(out)
        elif all(array.dtype == np.float32 for array in out):
            self._batches.fill(self._record, out)
        else:
            arrays = [np.zeros(shape, np.float32) for shape in self.shapes]
            self._batches.fill(self._record, arrays)
            _copy(arrays, out)
        self._record += self.shapes[0][0]

    def state(self) -> Mapping[str, int]:
        """Where the next batch starts, enough to `restore` the reader there exactly."""
        return {"record": self._record, "seed": self._batches.seed}

    def restore(self, state: Mapping[str, int]) -> None:
        """Go on as the reader whose `state` this is would have.

        Raises:
            DataError: it is not the state of such a reader.
        """
        if not {"record", "seed"} <= state.keys() or state["record"] < 0:
            raise DataError(f"`{dict(state)}` says no place in the data")
        self._stop()
        self._record = state["record"]
        self._batches.reseed(state["seed"])

    def close(self) -> None:
        """End the thread and release files; more than once does no harm."""
        self._stop()
        self._closed = True
        self._batches.close()

    def _take(self, out: Sequence[NDArray[Any]]) -> None:
        if self._error is not None:
            raise self._error
        ahead = self._ahead or self._start()
        filled = ahead.filled.get()
        if filled.first != self._record:  # an interrupt came between here and the end of `read`
            self._stop()
            ahead = self._start()
            filled = ahead.filled.get()
        if filled.error is not None:
            self._error = filled.error
            raise filled.error
        _copy(filled.arrays, out)
        ahead.free.put(filled.arrays)

    def _start(self) -> _Ahead:
        """Start the thread; not before the first batch, for a net may only be looked at."""
        self._ahead = _Ahead(self._batches, self._record, self._prefetch)
        self._end = finalize(self, self._ahead.stop)
        return self._ahead

    def _stop(self) -> None:
        self._error = None
        self._ahead = None
        if self._end is not None:
            self._end()
            self._end = None


def _copy(arrays: Arrays, out: Sequence[NDArray[Any]]) -> None:
    for array, place in zip(arrays, out, strict=True):
        np.copyto(place, array)
