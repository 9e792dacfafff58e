"""Batches to an HDF5 file: what an HDF5Output layer writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from netdef.data.errors import DataError, missing_package

_AXES = 4  # Caffe writes blobs as N×C×H×W


class Hdf5Writer:
    """Adds rows to the datasets of a file, which the first batch makes.

    Between batches the file is closed: whoever reads it finds all rows so far.

    Args:
        path: of the file; one that is there is replaced by the first batch.
        names: of the datasets.

    Attributes:
        rows: written so far.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._path = path
        self._names = tuple(names)
        self.rows = 0

    def write(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Add a batch: one array for each dataset, as many rows each.

        Raises:
            DataError: the file cannot be written, or its rows are of another shape.
        """
        try:
            import h5py
        except ImportError as error:
            raise missing_package("h5py", "writing an HDF5 file") from error
        arrays = [a.reshape(*a.shape, *(1,) * (_AXES - a.ndim)) for a in arrays]
        try:
            with h5py.File(self._path, "r+" if self.rows else "w") as file:
                for name, array in zip(self._names, arrays, strict=True):
                    self._add(file, name, array)
        except (OSError, RuntimeError, KeyError) as error:  # whatever h5py came across
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(
                f"`{self._path}` cannot be written: {reason}",
                "" if self._path.parent.is_dir() else f"make the folder `{self._path.parent}`",
            ) from error
        self.rows += len(arrays[0])

    def _add(self, file: Any, name: str, array: NDArray[Any]) -> None:
        if not self.rows:
            if name in file:
                del file[name]
            # one chunk a batch: rows can be added, and a batch is written in one go
            chunks = (max(1, len(array)), *(max(1, size) for size in array.shape[1:]))
            most = (None, *array.shape[1:])
            file.create_dataset(name, data=array, chunks=chunks, maxshape=most)
            return
        dataset = file[name]
        if dataset.shape[1:] != array.shape[1:]:
            raise DataError(
                f"a row of `{name}` is {_by(array.shape[1:])}, those in `{self._path}` are "
                f"{_by(dataset.shape[1:])}"
            )
        dataset.resize(self.rows + len(array), axis=0)
        dataset[self.rows :] = array

    def close(self) -> None:
        """Nothing is open between batches."""


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
