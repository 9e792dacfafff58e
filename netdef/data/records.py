"""Every record of a data set, one after the other, the broken ones too: for looking at sets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.datum import datum_to_array, parse_datum
from netdef.data.errors import DataError
from netdef.data.hdf5 import files_of
from netdef.data.image_list import ListedImage, read_image, read_list
from netdef.data.leveldb_store import LevelDbStore
from netdef.data.lmdb_store import key_text
from netdef.data.reader import Context
from netdef.data.recipes import images_in
from netdef.data.store import Store, kind_of, open_store
from netdef.data.tables import is_table, read_rows
from netdef.data.workers import Workers

_ROWS = 256  # of an HDF5 file, read at a time


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a set.

    Attributes:
        name: its key, line or row.
        values: (C, H, W), or whatever shape a row has; None where it is broken.
        label: None where it has none.
        encoded: whether it is an image file.
        problem: what is wrong with it.
    """

    name: str
    values: NDArray[Any] | None
    label: float | None = None
    encoded: bool = False
    problem: DataError | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """A set of records, to go through once.

    Attributes:
        kind: `LMDB`, `LevelDB`, `HDF5`, `NPZ`, `CSV`, `image list` or `folder of images`.
        count: of records; None where it is not known before.
        items: the records. A database that is itself damaged ends with a broken record.
    """

    kind: str
    count: int | None
    items: Iterable[Record]


def open_records(path: Path, *, root: str = "", checked: bool = False) -> Records:
    """Open a set of whatever kind.

    Args:
        path: of a database, an HDF5 file, a list of HDF5 files or of images, a folder of images.
        root: put in front of the paths of an image list.
        checked: look at the checksums of databases that have them.

    Raises:
        DataError: there is no such set.
    """
    if not os.path.exists(path):
        raise DataError(f"`{path}` does not exist")
    if os.path.isdir(path):
        kind = kind_of(path)
        if kind is not None:
            store: Store = (
                LevelDbStore(path, checked=checked) if (kind == "LEVELDB") else open_store(path)
            )
            count = None if kind == "LEVELDB" else len(store)
            return Records("LMDB" if kind == "LMDB" else "LevelDB", count, _database(store))
        images, _ = images_in(path)
        return Records("folder of images", len(images), _images(images, f"{path}/", path))
    if is_table(path) or path.suffix in (".h5", ".hdf5"):
        return _rows(path, [path])
    listed = _hdf5_list(path)
    if listed is not None:
        return _rows(path, listed)
    images = read_list(path)
    return Records("image list", len(images), _images(images, root, path))


def _database(store: Store) -> Iterator[Record]:
    def decode(item: tuple[bytes, bytes] | Record) -> Record:
        if isinstance(item, Record):
            return item
        name = key_text(item[0])
        try:
            datum = parse_datum(item[1])
            return Record(name, datum_to_array(datum), datum.label, datum.encoded)
        except DataError as error:
            return Record(name, None, problem=error)

    workers = Workers()
    try:
        yield from workers.stream(decode, _each(store))
    finally:
        workers.close()
        store.close()


def _each(store: Store) -> Iterator[tuple[bytes, bytes] | Record]:
    """Keys and values; where the store itself is damaged, a last record that says so."""
    index, last = 0, ""
    while True:
        try:
            found = store.record(index)
        except IndexError:
            return
        except DataError as error:
            name = f"what follows {last}" if last else "the first record"
            yield Record(name, None, problem=DataError(f"cannot be read: {error.message}"))
            return
        last = key_text(found[0])
        yield found
        index += 1


def _images(images: list[ListedImage], root: str, source: Path) -> Iterator[Record]:
    def decode(image: ListedImage) -> Record:
        name = f"{image.path}" if os.path.isdir(source) else f"line {image.line}: {image.path}"
        try:
            values = read_image(Path(root + image.path).expanduser(), color=True)
        except DataError as error:
            return Record(name, None, image.label, problem=error)
        return Record(name, values, image.label, encoded=True)

    workers = Workers()
    try:
        yield from workers.stream(decode, images)
    finally:
        workers.close()


def _rows(source: Path, paths: list[Path]) -> Records:
    """Rows of the datasets `data` and `label`, or of whichever there are."""
    kinds = {".npz": "NPZ", ".csv": "CSV", ".tsv": "CSV"}
    found = [(path, *_names(path)) for path in paths]
    kind = kinds.get(paths[0].suffix.lower(), "HDF5")
    count = sum(rows for _, _, rows in found)

    def each() -> Iterator[Record]:
        for path, names, rows in found:
            prefix = f"{path}: " if len(found) > 1 else ""
            for start in range(0, rows, _ROWS):
                stop = min(rows, start + _ROWS)
                data, labels = _slices(path, names, start, stop)
                for row in range(stop - start):
                    label = None if labels is None else float(np.ravel(labels[row])[0])
                    yield Record(f"{prefix}row {start + row}", data[row], label)

    del source
    return Records(kind, count, each())


def _names(path: Path) -> tuple[list[str], int]:
    """The datasets to look at: values first, then labels where there are some; and the rows."""
    if path.suffix.lower() in (".csv", ".tsv"):
        (rows,) = read_rows(path, ["\0"])
        return ["\0"], len(rows)
    from netdef.data.hdf5 import datasets

    has = datasets(path)
    names = [name for name in has if name not in ("label", "labels")]
    first = "data" if "data" in has else names[0] if names else next(iter(has))
    label = next((name for name in ("label", "labels") if name in has and name != first), None)
    return [first] + ([label] if label else []), has[first][0]


def _slices(
    path: Path, names: list[str], start: int, stop: int
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if is_table(path):
        arrays: list[Any] = read_rows(path, names)
        arrays = [values[start:stop] for values in arrays]
    else:
        from netdef.data.hdf5 import read_slices

        arrays = read_slices(path, names, start, stop)
    return arrays[0], arrays[1] if len(arrays) > 1 else None


def _hdf5_list(path: Path) -> list[Path] | None:
    """The files that a list names, where they are no images."""
    try:
        with path.open(encoding="utf-8") as lines:
            first = next((line for line in lines if line.strip()), "").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"`{path}` is no data set that netdef knows") from error
    if Path(first).suffix.lower() in (".h5", ".hdf5", ".npz", ".csv", ".tsv"):
        return files_of(path, Context())
    return None
