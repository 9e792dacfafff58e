from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pytest

from netdef.data.errors import DataError
from netdef.data.prefetch import BatchReader


class Counting:
    """Batches of 3 consecutive numbers; broken from `ends` on."""

    def __init__(self, ends=10**9, error=None):
        self.shapes = ((3, 1), (3,))
        self.seed = 0
        self.ends = ends
        self.error = error or DataError("record 9 is broken")
        self.filled = []
        self.threads = set()
        self.closed = 0

    def reseed(self, seed):
        self.seed = seed

    def fill(self, first, out):
        self.threads.add(threading.current_thread().name)
        if first >= self.ends:
            raise self.error
        self.filled.append(first)
        out[0][:, 0] = np.arange(first, first + 3) + 1000 * self.seed
        out[1][...] = out[0][:, 0]

    def close(self):
        self.closed += 1


def read(reader):
    out = [np.zeros(shape, np.float32) for shape in reader.shapes]
    reader.read(out)
    assert out[0][:, 0].tolist() == out[1].tolist()
    return out[1][0]


def alive():
    return [t for t in threading.enumerate() if t.name == "netdef data"]


def wait_until(true):
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_reads_ahead_and_no_further():
    batches = Counting()
    reader = BatchReader(batches, 4)
    assert read(reader) == 0
    wait_until(lambda: len(batches.filled) == 5)
    time.sleep(0.05)
    assert batches.filled == [0, 3, 6, 9, 12]
    reader.close()


def test_no_thread_before_the_first_batch():
    reader = BatchReader(Counting(), 4)
    assert not alive()
    reader.close()


def test_no_thread_without_prefetch():
    batches = Counting()
    read(BatchReader(batches, 0))
    assert batches.threads == {"MainThread"}


def test_state_is_that_of_what_was_handed_out():
    batches = Counting()
    reader = BatchReader(batches, 4)
    read(reader)
    wait_until(lambda: len(batches.filled) == 5)
    assert reader.state() == {"record": 3, "seed": 0}
    reader.restore({"record": 30, "seed": 2})
    assert [read(reader), read(reader)] == [2030, 2033]
    reader.close()


@pytest.mark.parametrize("state", [{}, {"record": 3}, {"record": -1, "seed": 0}])
def test_restore_refuses_what_is_no_state(state):
    with pytest.raises(DataError, match="says no place"):
        BatchReader(Counting()).restore(state)


@pytest.mark.parametrize("error", [DataError("a"), MemoryError(), KeyError("a bug")])
def test_errors_come_with_their_batch(error):
    reader = BatchReader(Counting(ends=6, error=error), 4)
    assert [read(reader), read(reader)] == [0, 3]
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            read(reader)
        assert caught.value is error
    assert reader.state()["record"] == 6
    wait_until(lambda: not alive())
    reader.close()


def test_close_ends_the_thread():
    batches = Counting()
    reader = BatchReader(batches, 2)
    read(reader)
    assert alive()
    reader.close()
    reader.close()
    assert not alive()
    assert batches.closed == 2
    with pytest.raises(ValueError, match="closed"):
        read(reader)


def test_a_forgotten_reader_ends_its_thread():
    reader = BatchReader(Counting(), 2)
    read(reader)
    assert alive()
    del reader
    gc.collect()
    assert not alive()


def test_an_interrupt_loses_no_batch(monkeypatch):
    """Ctrl-C between the thread's batch and its use: the batch is made again."""
    reader = BatchReader(Counting(), 3)
    assert read(reader) == 0

    def interrupted(arrays, out):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("netdef.data.prefetch._copy", interrupted)
        with pytest.raises(KeyboardInterrupt):
            read(reader)
    assert reader.state()["record"] == 3
    assert [read(reader), read(reader)] == [3, 6]
    reader.close()
