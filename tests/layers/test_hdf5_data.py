from __future__ import annotations

import h5py
import numpy as np
import pytest

from netdef.data.reader import Context
from netdef.diag import FieldError
from netdef.layers.base import Phase
from netdef.layers.hdf5_data import HDF5Data
from netdef.schema import LayerParameter


@pytest.fixture
def folder(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(10).reshape(5, 2)
        file["y"] = np.arange(5)
    (tmp_path / "list.txt").write_text("a.h5\n")
    return tmp_path


def read(**fields):
    return HDF5Data.read(LayerParameter(type="HDF5Data", **fields), Phase.TRAIN)


def test_read():
    layer = read(hdf5_data_param={"source": "d/list.txt", "batch_size": 3, "shuffle": True})
    assert layer == HDF5Data("d/list.txt", 3, shuffle=True)
    assert layer.settings() == "list.txt ×3 shuffle"
    assert layer.known_shapes(("x",)) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"hdf5_data_param": {"batch_size": 1}}, "hdf5_data_param.source is missing"),
        ({"hdf5_data_param": {"source": "x"}}, "hdf5_data_param.batch_size is missing"),
        (
            {"hdf5_data_param": {"source": "x", "batch_size": 0}},
            "hdf5_data_param.batch_size must be at least 1, is 0",
        ),
        ({"transform_param": {"scale": 2}}, "transform_param is not for HDF5Data"),
    ],
)
def test_read_refuses(fields, expected):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert str(caught.value).startswith(expected)


def test_tops_are_named_after_datasets(folder):
    """A path in the list is looked for beside the prototxt too."""
    reader = HDF5Data("list.txt", 3).open(Context(folder=folder), ("y", "x"))
    assert reader.shapes == ((3,), (3, 2))
    out = [np.zeros(shape, np.float32) for shape in reader.shapes]
    reader.read(out)
    reader.read(out)
    assert out[0].tolist() == [3, 4, 0]
    assert out[1].tolist() == [[6, 7], [8, 9], [0, 1]]
    reader.close()


def test_a_missing_dataset_is_a_mistake_in_the_prototxt(folder):
    with pytest.raises(FieldError) as caught:
        HDF5Data("list.txt", 3).open(Context(folder=folder), ("x", "z"))
    assert caught.value.field == "hdf5_data_param.source"
    assert "has no dataset `z`, it has `x`, `y`" in caught.value.message
