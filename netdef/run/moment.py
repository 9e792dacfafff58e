"""A solver brought back to where it stood: for runs that only look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from netdef.run.net import Net
from netdef.run.resume import numbers_of, take_numbers
from netdef.run.solver import Solver


@contextmanager
def unchanged(solver: Solver) -> Iterator[None]:
    """Let a solver be stepped and have it stand afterwards where it did.

    Weights, history, iteration, data position, random numbers and what layers keep from pass to
    pass are put back; what is in the blobs is not.
    """
    net = solver.net
    slots = [array for slot in solver._updater.history for array in slot]
    arrays = [param.data for param in net.learned] + slots
    kept = [array.copy() for array in arrays]
    lasting = {key: array.copy() for key, array in net.program.lasting()}
    numbers = numbers_of(net, solver.test_nets, solver.seed)
    counters = solver._iter, solver._current_step
    try:
        yield
    finally:
        for array, before in zip(arrays, kept, strict=True):
            np.copyto(array, before)
        for key, array in net.program.lasting():
            if key in lasting and lasting[key].shape == array.shape:
                np.copyto(array, lasting[key])
        take_numbers(net, solver.test_nets, numbers)
        solver._iter, solver._current_step = counters
        net.clear_param_diffs()


class Repeating:
    """A source that gives its first batches again and again.

    Args:
        reader: the source.
        batches: how many of its batches to take.
    """

    def __init__(self, reader: object, batches: int) -> None:
        self._reader = reader
        self._batches = batches
        self._kept: list[list[np.ndarray]] = []
        self._next = 0

    def read(self, out: list[np.ndarray]) -> None:
        """Fill the arrays with the next batch."""
        if len(self._kept) < self._batches:
            self._reader.read(out)  # type: ignore[attr-defined]
            self._kept.append([array.copy() for array in out])
            return
        for array, kept in zip(out, self._kept[self._next], strict=True):
            np.copyto(array, kept)
        self._next = (self._next + 1) % self._batches

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)


def repeat_batches(net: Net, batches: int) -> None:
    """Let a net see the same few batches of its sources from now on.

    Args:
        net: its DummyData layers are left as they are.
        batches: how many.
    """
    net.wrap_readers(lambda reader: Repeating(reader, batches))
