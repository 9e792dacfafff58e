"""Where made records go: LMDB, LevelDB or HDF5, as Caffe reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from netdef.data.datum import array_to_datum, encoded_datum
from netdef.data.errors import DataError, missing_package

BACKENDS = ("lmdb", "leveldb", "hdf5")
_FIRST_MAP = 1 << 26  # bytes; doubled whenever it is full
_LEVELDB_BLOCK = 1 << 16  # bytes, as Caffe writes
_LEVELDB_BUFFER = 1 << 26
_VALUES = 1 << 28  # of an HDF5 file: Caffe keeps a whole file in memory, as floats


@dataclass(frozen=True, slots=True)
class Item:
    """A record to write.

    Attributes:
        key: in databases; they are sorted by it.
        values: (C, H, W), or the bytes of an image file.
        label: its class, None for none.
    """

    key: bytes
    values: NDArray[Any] | bytes
    label: float | None

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return len(self.values) if isinstance(self.values, bytes) else self.values.nbytes

    def record(self) -> bytes:
        """The record of a database."""
        label = None if self.label is None else int(self.label)
        if isinstance(self.values, bytes):
            return encoded_datum(self.values, label).SerializeToString()
        return array_to_datum(self.values, label).SerializeToString()


class Sink(Protocol):
    """Takes records into a place that is not finished yet; the same key again replaces."""

    def put(self, items: Sequence[Item], done: int) -> None:
        """Write records safely; `done` were written before."""

    def close(self) -> None:
        """Release files."""


def open_sink(backend: str, part: Path, name: str) -> Sink:
    """Open an unfinished place, new or to go on with.

    Args:
        backend: one of `BACKENDS`.
        part: folder of the unfinished files.
        name: of the finished file or folder.

    Raises:
        DataError: a package is missing.
    """
    if backend == "lmdb":
        return LmdbSink(part)
    return LevelDbSink(part) if backend == "leveldb" else Hdf5Sink(part, name)


class LmdbSink:
    """Records to an LMDB."""

    def __init__(self, part: Path) -> None:
        try:
            import lmdb
        except ImportError as error:
            raise missing_package("lmdb", "writing an LMDB") from error
        self._lmdb = lmdb
        self._store = lmdb.open(str(part), map_size=_FIRST_MAP, metasync=False)

    def put(self, items: Sequence[Item], done: int) -> None:
        """Write records in one transaction, with a larger map where they do not fit."""
        del done
        records = [(item.key, item.record()) for item in items]
        while True:
            try:
                with self._store.begin(write=True) as transaction:
                    for key, value in records:
                        transaction.put(key, value)
                return
            except self._lmdb.MapFullError:
                self._store.set_mapsize(2 * self._store.info()["map_size"])
            except self._lmdb.Error as error:
                raise DataError(f"an LMDB cannot be written: {error}") from error

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class LevelDbSink:
    """Records to a LevelDB.

    Not packed: images do not get much smaller, and not every Caffe was built with Snappy.
    """

    def __init__(self, part: Path) -> None:
        try:
            import plyvel
        except ImportError as error:
            raise missing_package("plyvel", "writing a LevelDB") from error
        self._errors = plyvel.Error
        try:
            self._store = plyvel.DB(
                str(part),
                create_if_missing=True,
                compression=None,
                block_size=_LEVELDB_BLOCK,
                write_buffer_size=_LEVELDB_BUFFER,
            )
        except plyvel.Error as error:
            raise DataError(f"a LevelDB cannot be written: {error}") from error

    def put(self, items: Sequence[Item], done: int) -> None:
        """Write records in one go."""
        del done
        try:
            with self._store.write_batch(sync=True) as batch:
                for item in items:
                    batch.put(item.key, item.record())
        except self._errors as error:
            raise DataError(f"a LevelDB cannot be written: {error}") from error

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class Hdf5Sink:
    """Rows to HDF5 files, datasets `data` and `label`, each file of a size Caffe can hold.

    The first file has the name asked for; others have a number before the ending.
    """

    def __init__(self, part: Path, name: str) -> None:
        try:
            import h5py  # noqa: F401  the first `put` needs it
        except ImportError as error:
            raise missing_package("h5py", "writing an HDF5 file") from error
        self._part, self._name = part, Path(name)

    def put(self, items: Sequence[Item], done: int) -> None:
        """Write rows behind those that are there."""
        if not items:
            return
        data = np.stack([_array(item) for item in items])
        given = items[0].label is not None
        labels = np.array([item.label for item in items], np.float32) if given else None
        most = max(1, _VALUES // max(1, data[0].size))
        start = 0
        while start < len(data):
            file, row = divmod(done + start, most)
            stop = min(len(data), start + most - row)
            part = data[start:stop], None if labels is None else labels[start:stop]
            self._write(self._path(file), row, *part)
            start = stop

    def close(self) -> None:
        """Nothing is open between batches."""

    def _write(
        self, path: Path, row: int, data: NDArray[Any], labels: NDArray[np.float32] | None
    ) -> None:
        import h5py

        try:
            with h5py.File(path, "r+" if row else "w") as file:
                for key, values in (("data", data), ("label", labels)):
                    if values is None:
                        continue
                    if key not in file:
                        rest = values.shape[1:]
                        size = max(1, int(np.prod(rest)) * values.itemsize)
                        file.create_dataset(
                            key,
                            (0, *rest),
                            values.dtype,
                            maxshape=(None, *rest),
                            chunks=(max(1, (1 << 18) // size), *rest),
                        )
                    dataset = file[key]
                    if dataset.shape[1:] != values.shape[1:]:
                        raise _other_size(values.shape[1:], dataset.shape[1:])
                    dataset.resize(row + len(values), axis=0)
                    dataset[row:] = values
        except (OSError, RuntimeError, KeyError) as error:  # whatever h5py came across
            raise DataError(f"`{path.name}` cannot be written: {error}") from error

    def _path(self, number: int) -> Path:
        name = self._name.stem + (f"_{number}" if number else "") + (self._name.suffix or ".h5")
        return self._part / name


def _array(item: Item) -> NDArray[Any]:
    assert not isinstance(item.values, bytes), "rows of HDF5 are never encoded"
    return item.values


def _other_size(shape: tuple[int, ...], first: tuple[int, ...]) -> DataError:
    return DataError(
        f"a record is {'×'.join(map(str, shape))}, the first is {'×'.join(map(str, first))}",
        "resize the images to one size",
    )
