"""Rows that are added to an HDF5 file."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from netdef.data.errors import DataError
from netdef.data.hdf5_writer import Hdf5Writer


def rows(count, start=0):
    return np.arange(start, start + count * 3, dtype=np.float32).reshape(count, 3)


def test_rows_are_added(tmp_path):
    path = tmp_path / "x.h5"
    writer = Hdf5Writer(path, ("data", "label"))
    assert not path.exists()
    writer.write([rows(4), np.arange(4, dtype=np.float32)])
    with h5py.File(path) as file:  # whole after each batch
        assert file["data"].shape == (4, 3, 1, 1)
    writer.write([rows(2, 100), np.arange(2, dtype=np.float32)])
    writer.close()
    with h5py.File(path) as file:
        assert sorted(file) == ["data", "label"]
        assert file["data"].dtype == np.float32
        np.testing.assert_array_equal(
            file["data"][:, :, 0, 0], np.concatenate([rows(4), rows(2, 100)])
        )
        assert file["label"][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 0, 1]
    assert writer.rows == 6


def test_another_writer_starts_anew(tmp_path):
    for count in (4, 2):
        Hdf5Writer(tmp_path / "x.h5", ("data",)).write([rows(count)])
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["data"].shape == (2, 3, 1, 1)


def test_empty_batches_and_many_axes(tmp_path):
    writer = Hdf5Writer(tmp_path / "x.h5", ("data",))
    for count in (0, 2, 0):
        writer.write([np.ones((count, 1, 2, 3, 4), np.float32)])
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["data"].shape == (2, 1, 2, 3, 4)


def test_refuses(tmp_path):
    writer = Hdf5Writer(tmp_path / "x.h5", ("data",))
    writer.write([rows(2)])
    with pytest.raises(DataError, match=r"a row of `data` is 2×1×1, those in .* are 3×1×1"):
        writer.write([np.ones((2, 2), np.float32)])
    with pytest.raises(DataError, match="cannot be written") as caught:
        Hdf5Writer(tmp_path / "no" / "x.h5", ("data",)).write([rows(2)])
    assert caught.value.help == f"make the folder `{tmp_path / 'no'}`"
