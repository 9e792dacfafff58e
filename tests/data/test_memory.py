"""Batches of arrays in memory."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.data.errors import DataError
from netdef.data.memory import MemoryReader

DATA = np.arange(6 * 2).reshape(6, 2, 1, 1)


def batch(reader):
    out = [np.zeros(shape, np.float32) for shape in reader.shapes]
    reader.read(out)
    return out[0][:, 0, 0, 0].tolist(), out[1].tolist()


def test_over_and_over_and_restored():
    reader = MemoryReader((2, 2, 1, 1))
    assert reader.shapes == ((2, 2, 1, 1), (2,))
    reader.set_arrays(DATA, np.arange(6).reshape(6, 1, 1, 1))
    assert [batch(reader)[1] for _ in range(4)] == [[0, 1], [2, 3], [4, 5], [0, 1]]
    state = reader.state()
    assert batch(reader) == ([4, 6], [2, 3])
    reader.restore(state)
    assert batch(reader)[1] == [2, 3]
    reader.set_arrays(DATA + 1, np.arange(6))
    assert batch(reader) == ([1, 3], [0, 1])


def test_without_arrays():
    reader = MemoryReader((2, 2, 1, 1))
    with pytest.raises(DataError, match="has no data yet") as caught:
        batch(reader)
    assert "set_input_arrays" in caught.value.help
    reader.set_arrays(DATA, np.arange(6))
    with pytest.raises(DataError, match="says no place in the data"):
        reader.restore({"row": 6})
    reader.close()
    with pytest.raises(DataError, match="has no data yet"):
        batch(reader)


@pytest.mark.parametrize(
    ("data", "labels", "expected"),
    [
        (DATA[:5], np.arange(5), "5 examples are no multiple of the batch of 2"),
        (DATA[:0], np.arange(0), "0 examples are no multiple"),
        (DATA[:, :1], np.arange(6), r"is \(6, 1, 1, 1\), the layer takes \(M, 2, 1, 1\)"),
        (DATA[..., 0], np.arange(6), r"is \(6, 2, 1\), the layer takes"),
        (DATA, np.arange(4), r"the labels are \(4,\), for 6 examples"),
        (DATA, np.zeros((6, 2)), r"the labels are \(6, 2\), for 6 examples"),
    ],
)
def test_arrays_that_do_not_fit(data, labels, expected):
    with pytest.raises(ValueError, match=expected):
        MemoryReader((2, 2, 1, 1)).set_arrays(data, labels)
