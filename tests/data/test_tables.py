from __future__ import annotations

import numpy as np
import pytest

from netdef.data.errors import DataError
from netdef.data.hdf5 import Hdf5Batches
from netdef.data.reader import Context
from netdef.data.tables import read_csv, read_rows
from netdef.diag import FieldError
from netdef.layers.hdf5_data import HDF5Data

NAMED = "a,b,label,c\n1,2,0,3\n4,5,1,6\n7,8,2,9\n"


@pytest.fixture
def table(tmp_path):
    (tmp_path / "t.csv").write_text(NAMED)
    return tmp_path / "t.csv"


def fill(source, tops, batch=2, first=0, **options):
    batches = Hdf5Batches(source, tops, batch, Context(seed=1), **options)
    out = [np.zeros(shape, np.float32) for shape in batches.shapes]
    batches.fill(first, out)
    return out


def test_columns_by_name(table):
    data, label = fill(table, ["data", "label"], first=2)
    assert data.tolist() == [[7, 8, 9], [1, 2, 3]]  # over the end
    assert label.tolist() == [2, 0]
    assert fill(table, ["c", "a"])[0].tolist() == [3, 6]


def test_columns_without_names(tmp_path):
    (tmp_path / "t.csv").write_text("1;2;3\n4;5;6\n")
    data, label = fill(tmp_path / "t.csv", ["data", "label"])
    assert (data.tolist(), label.tolist()) == ([[1, 2], [4, 5]], [3, 6])


def test_an_archive(tmp_path):
    data = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    np.savez_compressed(tmp_path / "t.npz", data=np.asfortranarray(data), label=np.arange(4))
    got = fill(tmp_path / "t.npz", ["data", "label"], first=1)
    np.testing.assert_array_equal(got[0], data[1:3])
    assert got[1].tolist() == [1, 2]


def test_a_list_of_both_with_hdf5(tmp_path, table):
    h5py = pytest.importorskip("h5py")
    np.savez(tmp_path / "t.npz", data=np.full((2, 3), 8.5), label=[5, 6])
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["data"] = np.full((1, 3), 9.5)
        file["label"] = np.array([7])
    (tmp_path / "list.txt").write_text("t.csv\nt.npz\nt.h5\n")
    data, label = fill(tmp_path / "list.txt", ["data", "label"], batch=7)
    assert label.tolist() == [0, 1, 2, 5, 6, 7, 0]
    assert data[3:6, 0].tolist() == [8.5, 8.5, 9.5]
    shuffled = fill(tmp_path / "list.txt", ["data", "label"], batch=6, shuffle=True)
    assert sorted(shuffled[1].tolist()) == [0, 1, 2, 5, 6, 7]


def test_the_layer_takes_them(table):
    reader = HDF5Data(str(table), 2).open(Context(), ("data", "label"))
    assert reader.shapes == ((2, 3), (2,))
    reader.close()


def test_words_become_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("x,kind\n1,dog\n2,cat\n3,dog\n")
    found = read_csv(tmp_path / "t.csv", text_column="kind")
    assert found.values.tolist() == [[1, 1], [2, 0], [3, 1]]
    assert found.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "tops", "message"),
    [
        ("1,2\n3\n", ["data", "label"], "line 2 of `.*` has 1 columns, the first has 2"),
        ("a,b\n3,x\n", ["a"], "line 2 of `.*` has `x` in column 2"),
        ("", ["a"], "holds no rows"),
        ("a,b\n", ["a"], "holds no rows"),
        (NAMED, ["data", "labl"], "has no column `labl`"),
        ("1,2\n", ["a", "b", "c"], "has 2 columns, the layer has 3 tops"),
    ],
)
def test_mistakes(tmp_path, text, tops, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_rows(tmp_path / "t.csv", tops)


def test_mistakes_of_archives(tmp_path):
    np.savez(tmp_path / "t.npz", data=np.zeros((2, 3)), label=np.zeros(3), word=np.array(["a"]))
    with pytest.raises(DataError, match="has no array `labels`") as info:
        fill(tmp_path / "t.npz", ["data", "labels"])
    assert info.value.help == "name the top `label`"
    with pytest.raises(DataError, match="differ in rows: `data` 2, `label` 3"):
        fill(tmp_path / "t.npz", ["data", "label"])
    with pytest.raises(DataError, match="holds <U1, not numbers"):
        fill(tmp_path / "t.npz", ["word"])
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="is damaged"):
        fill(tmp_path / "broken.npz", ["data"])
    with pytest.raises(FieldError, match="does not exist"):
        HDF5Data(str(tmp_path / "no.csv"), 2).open(Context(), ("data",))
