from __future__ import annotations

import sys
from itertools import pairwise

import h5py
import numpy as np
import pytest

from netdef.data import hdf5
from netdef.data.errors import DataError
from netdef.data.hdf5 import Hdf5Batches
from netdef.data.prefetch import BatchReader
from netdef.data.reader import Context

ROWS = (5, 1, 0, 4)


@pytest.fixture
def source(tmp_path):
    """A list of files; row r over all files has label r and data 10 r + (0, 1, ...)."""
    start = 0
    for number, rows in enumerate(ROWS):
        label = np.arange(start, start + rows)
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            file["data"] = label[:, None, None] * 10.0 + np.arange(6).reshape(2, 3)
            file["label"] = label.astype(np.int8)
            file["other"] = np.zeros(3)
        start += rows
    names = "\n".join(f"{number}.h5" for number in range(len(ROWS)))
    (tmp_path / "list.txt").write_text(names + "\n\n")
    return tmp_path / "list.txt"


def open_reader(source, batch=4, prefetch=0, tops=("data", "label"), seed=0, shuffle=False):
    batches = Hdf5Batches(source, tops, batch, Context(seed=seed), shuffle=shuffle)
    return BatchReader(batches, prefetch)


def take(reader, count):
    """Labels of the next batches, in a row; data is held against them."""
    found = []
    for _ in range(count):
        data, label = (np.full(shape, np.nan, np.float32) for shape in reader.shapes)
        reader.read([data, label])
        np.testing.assert_array_equal(data, label[:, None, None] * 10 + np.arange(6).reshape(2, 3))
        found.extend(int(x) for x in label)
    return found


def test_rows_cross_files_and_epochs(source):
    reader = open_reader(source)
    assert reader.shapes == ((4, 2, 3), (4,))
    assert take(reader, 7) == [i % 10 for i in range(28)]


def test_a_batch_larger_than_all_files(source):
    assert take(open_reader(source, batch=23), 2) == [i % 10 for i in range(46)]


def test_tops_in_another_order(source):
    assert open_reader(source, tops=("label", "data")).shapes == ((4,), (4, 2, 3))


@pytest.mark.parametrize("whole", [True, False])
def test_shuffle(source, monkeypatch, whole):
    if not whole:
        monkeypatch.setattr(hdf5, "_WHOLE", 0)
    got = take(open_reader(source, batch=5, shuffle=True), 8)
    epochs = [got[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    for epoch in epochs:  # files stay together
        files = [0 if row < 5 else 1 if row < 6 else 3 for row in epoch]
        assert sum(a != b for a, b in pairwise(files)) == 2
    firsts = {take(open_reader(source, shuffle=True, seed=s), 1)[0] for s in range(20)}
    assert len(firsts) > 4


@pytest.mark.parametrize("shuffle", [True, False])
def test_files_too_large_for_memory_give_the_same(source, monkeypatch, shuffle):
    expected = take(open_reader(source, shuffle=shuffle), 10)
    monkeypatch.setattr(hdf5, "_WHOLE", 0)
    assert take(open_reader(source, shuffle=shuffle), 10) == expected


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("done", [0, 1, 4])
def test_goes_on_exactly(source, prefetch, done):
    first = open_reader(source, batch=3, prefetch=prefetch, shuffle=True, seed=4)
    take(first, done)
    state = first.state()
    expected = take(first, 9)
    second = open_reader(source, batch=3, shuffle=True, seed=77)
    second.restore(state)
    assert take(second, 9) == expected
    first.close()


def test_two_readers_at_once(source):
    one, two = (open_reader(source, prefetch=1) for _ in range(2))
    assert (take(one, 1), take(two, 1), take(one, 1)) == ([0, 1, 2, 3], [0, 1, 2, 3], [4, 5, 6, 7])
    one.close()
    assert take(two, 1) == [4, 5, 6, 7]
    two.close()


class TestBroken:
    def error(self, source, **settings):
        with pytest.raises(DataError) as caught:
            open_reader(source, **settings)
        return caught.value

    def test_no_list(self, tmp_path):
        assert self.error(tmp_path / "no.txt").message == f"`{tmp_path}/no.txt` does not exist"

    def test_the_file_in_place_of_its_list(self, source):
        error = self.error(source.with_name("0.h5"))
        assert "is not a text file" in error.message
        assert "on a line of a text file" in error.help

    def test_empty_list(self, source):
        source.write_text("\n \n")
        assert "lists no files" in self.error(source).message

    def test_a_file_is_missing(self, source):
        source.write_text("0.h5\n\nno.h5\n")
        assert self.error(source).message == f"line 3 of `{source}`: `no.h5` does not exist"

    def test_a_dataset_is_missing(self, source):
        error = self.error(source, tops=("data", "labels"))
        path = source.with_name("0.h5")
        expected = f"`{path}` has no dataset `labels`, it has `data`, `label`, `other`"
        assert error.message == expected
        assert error.help == "name the top `label`"

    def test_rows_differ(self, source):
        assert (
            "differ in rows: `data` 5, `other` 3"
            in self.error(source, tops=("data", "other")).message
        )

    def test_shapes_differ(self, source):
        with h5py.File(source.with_name("1.h5"), "a") as file:
            del file["data"]
            file["data"] = np.zeros((1, 2, 4))
        assert "the rows of `data` are 2×4 in" in self.error(source).message

    def test_text(self, source):
        with h5py.File(source.with_name("0.h5"), "a") as file:
            file["text"] = ["a", "b"]
        assert "not numbers" in self.error(source, tops=("text",)).message

    def test_a_single_number(self, source):
        with h5py.File(source.with_name("0.h5"), "a") as file:
            file["one"] = 1.5
        assert "has no axes" in self.error(source, tops=("one",)).message

    def test_a_group(self, source):
        with h5py.File(source.with_name("0.h5"), "a") as file:
            file.create_group("folder")
        assert "has no dataset `folder`" in self.error(source, tops=("folder",)).message

    def test_no_hdf5(self, source):
        source.with_name("0.h5").write_bytes(b"hello")
        assert "is not an HDF5 file" in self.error(source).message

    def test_cut_short(self, source):
        path = source.with_name("0.h5")
        path.write_bytes(path.read_bytes()[:-200])
        assert f"`{path}` is cut short" in self.error(source).message

    def test_no_rows(self, source):
        source.write_text("2.h5")
        assert "hold no rows" in self.error(source).message

    def test_h5py_is_not_installed(self, source, monkeypatch):
        monkeypatch.setitem(sys.modules, "h5py", None)
        assert "needs the package `h5py`" in self.error(source).message

    @pytest.mark.parametrize("prefetch", [0, 1])
    def test_a_file_that_vanishes(self, source, prefetch):
        reader = open_reader(source, batch=5, prefetch=prefetch)
        source.with_name("3.h5").unlink()
        assert take(reader, 1) == [0, 1, 2, 3, 4]
        with pytest.raises(DataError, match=r"3\.h5` does not exist"):
            take(reader, 1)
        reader.close()

    def test_a_file_that_changes(self, source):
        reader = open_reader(source, batch=5)
        with h5py.File(source.with_name("3.h5"), "w") as file:
            file["data"] = np.zeros((1, 2, 3))
            file["label"] = np.zeros(1)
        take(reader, 1)
        with pytest.raises(DataError, match="has changed"):
            take(reader, 1)
