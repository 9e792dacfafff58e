"""Batches from HDF5 files: what an HDF5Data layer reads."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.counter_random import Purpose, shuffled
from netdef.data.errors import DataError, missing_package
from netdef.data.reader import Context, find_path
from netdef.data.tables import is_table, npz_shapes, read_rows, row_shapes
from netdef.diag import nearest

_WHOLE = 1 << 28  # bytes of a file's datasets up to which it is kept in memory, as Caffe keeps all


@dataclass(frozen=True, slots=True)
class Hdf5File:
    """One file of the list.

    Attributes:
        path: of the file.
        rows: how many it has.
        shapes: of a row of each dataset.
    """

    path: Path
    rows: int
    shapes: tuple[tuple[int, ...], ...]


class Hdf5Batches:
    """Rows of HDF5 files, over and over: each top is the dataset of its name.

    Rows follow each other across the ends of files and of the list. With `shuffle` the files
    come in another order each time round, and so do the rows of each.

    Args:
        source: text file with the path of an HDF5 file on each line, relative to the working
            directory, the prototxt's folder or the list's own. Netdef also takes .npz and .csv
            files in the list, and one of these in place of the list.
        tops: names of the datasets, of the arrays of an .npz, or of the columns of a .csv.
        batch_size: rows of a batch.
        context: seed and folders.
        shuffle: take files and rows in random order.

    Attributes:
        shapes: (N, ...) of each top.
        seed: of the orders.
        files: in the order of the list.

    Raises:
        DataError: a file or dataset is missing, broken, or of another shape than the first.
    """

    def __init__(
        self,
        source: Path,
        tops: Sequence[str],
        batch_size: int,
        context: Context,
        *,
        shuffle: bool = False,
    ) -> None:
        self._tops = tuple(tops)
        self._shuffle = shuffle
        self.seed = context.seed
        self.files = tuple(_inspect(path, self._tops) for path in _listed(source, context))
        first = self.files[0]
        for file in self.files:
            _check_shapes(file, first, self._tops)
        if not sum(file.rows for file in self.files):
            raise DataError(f"the files of `{source}` hold no rows")
        self.shapes = tuple((batch_size, *shape) for shape in first.shapes)
        self._epoch = lru_cache(2)(self._plan_epoch)
        self._row_order = lru_cache(2)(self._plan_rows)
        self._open: tuple[Hdf5File, _Rows] | None = None

    def reseed(self, seed: int) -> None:
        """Go on with another seed."""
        self.seed = seed
        self._epoch.cache_clear()
        self._row_order.cache_clear()

    def fill(self, first: int, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the batch that starts with row `first` of the run."""
        done, batch = 0, self.shapes[0][0]
        total = sum(file.rows for file in self.files)
        while done < batch:
            epoch, place = divmod(first + done, total)
            order, ends = self._epoch(epoch)
            which = bisect_right(ends, place)
            file = self.files[order[which]]
            row = place - (ends[which] - file.rows)
            count = min(batch - done, file.rows - row)
            rows: slice | NDArray[np.int64] = slice(row, row + count)
            if self._shuffle:
                rows = self._row_order(epoch, order[which])[rows]
            for array, values in zip(out, self._rows(file).take(rows), strict=True):
                array[done : done + count] = values
            done += count

    def close(self) -> None:
        """Close the file that is open."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _plan_epoch(self, epoch: int) -> tuple[list[int], list[int]]:
        """Files in the order of an epoch, and the rows up to the end of each."""
        order = list(range(len(self.files)))
        if self._shuffle:
            order = shuffled(self.seed, Purpose.FILES, (epoch,), len(order)).tolist()
        return order, np.cumsum([self.files[i].rows for i in order]).tolist()

    def _plan_rows(self, epoch: int, file: int) -> NDArray[np.int64]:
        return shuffled(self.seed, Purpose.ROWS, (epoch, file), self.files[file].rows)

    def _rows(self, file: Hdf5File) -> _Rows:
        """The rows of a file; one file is open at a time."""
        if self._open is None or self._open[0] is not file:
            self.close()
            self._open = file, _Rows(file, self._tops)
        return self._open[1]


class _Rows:
    """The datasets of an open file: in memory where small, else read row by row."""

    def __init__(self, file: Hdf5File, names: Sequence[str]) -> None:
        if _inspect(file.path, names) != file:
            raise DataError(f"`{file.path}` has changed since it was opened")
        self._path = file.path
        if is_table(file.path):
            arrays = read_rows(file.path, names)
            self._sets: list[Any] = [np.asarray(a, np.float32) for a in arrays]
            self._file: Any = None
            return
        self._file = _open(file.path)
        self._sets = [self._file[name] for name in names]
        if sum(d.size for d in self._sets) * 4 <= _WHOLE:
            try:
                self._sets = [d.astype(np.float32)[...] for d in self._sets]
            except (OSError, RuntimeError) as error:
                raise _broken(self._path, error) from error
            finally:
                self._file.close()

    def take(self, rows: slice | NDArray[np.int64]) -> list[NDArray[Any]]:
        """Some rows of each dataset."""
        try:
            if isinstance(rows, slice) or isinstance(self._sets[0], np.ndarray):
                return [d[rows] for d in self._sets]
            # h5py wants rows in rising order, and is slower with a list than one by one
            return [np.stack([d[row] for row in rows]) for d in self._sets]
        except (OSError, RuntimeError) as error:
            raise _broken(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _listed(source: Path, context: Context) -> list[Path]:
    """The paths in a list file, or the path itself where it is no list."""
    if is_table(source):
        return [source]
    try:
        lines = source.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"`{source}` does not exist") from error
    except UnicodeDecodeError as error:
        hint = f"write `{source}` on a line of a text file, and name that file here"
        raise DataError(
            f"`{source}` is not a text file with a path on each line",
            hint if _is_hdf5(source) else "",
        ) from error
    except OSError as error:
        raise DataError(f"`{source}` cannot be read: {error.strerror}") from error
    paths = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        path = find_path(line.strip(), context)
        if not os.path.exists(path):
            path = find_path(line.strip(), Context(folder=source.parent))
        if not os.path.isfile(path):
            what = "is no file" if os.path.exists(path) else "does not exist"
            raise DataError(f"line {number} of `{source}`: `{line.strip()}` {what}")
        paths.append(path)
    if not paths:
        raise DataError(f"`{source}` lists no files")
    return paths


def _inspect(path: Path, names: Sequence[str]) -> Hdf5File:
    """Check the datasets of a file without reading their values."""
    if is_table(path):
        shapes = row_shapes(path, names)
        return Hdf5File(path, shapes[0][0], tuple(shape[1:] for shape in shapes))
    with _open(path) as file:
        try:
            sets = [_dataset(file, name, path) for name in names]
        except (OSError, KeyError, RuntimeError, ValueError) as error:  # whatever h5py came across
            raise _broken(path, error) from error
        rows = {name: d.shape[0] for name, d in zip(names, sets, strict=True)}
        if len(set(rows.values())) > 1:
            counts = ", ".join(f"`{name}` {count}" for name, count in rows.items())
            raise DataError(f"the datasets of `{path}` differ in rows: {counts}")
        return Hdf5File(path, sets[0].shape[0], tuple(d.shape[1:] for d in sets))


def _dataset(file: Mapping[str, Any], name: str, path: Path) -> Any:
    """A dataset of numbers with at least one axis."""
    has = [key for key, value in file.items() if hasattr(value, "shape")]
    found = file.get(name)
    if found is None or not hasattr(found, "shape"):
        near = nearest(name, has, most=1)
        known = ", ".join(f"`{key}`" for key in has) or "no datasets"
        raise DataError(
            f"`{path}` has no dataset `{name}`, it has {known}",
            f"name the top `{near[0]}`" if near else "name the top after a dataset",
        )
    if found.dtype.kind not in "fiub":
        raise DataError(f"the dataset `{name}` of `{path}` holds {found.dtype}, not numbers")
    if not found.shape:
        raise DataError(f"the dataset `{name}` of `{path}` has no axes, needs one of rows")
    return found


def _check_shapes(file: Hdf5File, first: Hdf5File, tops: Sequence[str]) -> None:
    for name, shape, wanted in zip(tops, file.shapes, first.shapes, strict=True):
        if shape != wanted:
            raise DataError(
                f"the rows of `{name}` are {_by(shape)} in `{file.path}`, {_by(wanted)} in "
                f"`{first.path}`"
            )


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise missing_package("h5py", "reading an HDF5 file") from error
    try:
        return h5py.File(path, "r")
    except FileNotFoundError as error:
        raise DataError(f"`{path}` does not exist") from error
    except OSError as error:
        if not _is_hdf5(path):
            raise DataError(f"`{path}` is not an HDF5 file") from error
        raise _broken(path, error) from error


def _is_hdf5(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _broken(path: Path, error: Exception) -> DataError:
    what = "is cut short" if "truncated" in str(error) else "is damaged"
    return DataError(f"`{path}` {what}", "write it again from what it was made of")


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "single numbers"


def files_of(source: Path, context: Context) -> list[Path]:
    """The files that a list names.

    Raises:
        DataError: the list or a file is missing.
    """
    return _listed(source, context)


def datasets(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the datasets of an HDF5 file, or of the arrays of an .npz, by name.

    Raises:
        DataError: the file is missing or broken, or has none with rows.
    """
    if is_table(path):
        has = npz_shapes(path)
    else:
        with _open(path) as file:
            try:
                has = {key: d.shape for key, d in file.items() if getattr(d, "shape", ())}
            except (OSError, KeyError, RuntimeError) as error:
                raise _broken(path, error) from error
    if not has:
        raise DataError(f"`{path}` holds no datasets")
    return has


def read_slices(path: Path, names: Sequence[str], start: int, stop: int) -> list[NDArray[Any]]:
    """Some rows of datasets.

    Raises:
        DataError: the file is broken.
    """
    with _open(path) as file:
        try:
            return [file[name][start:stop] for name in names]
        except (OSError, KeyError, RuntimeError) as error:
            raise _broken(path, error) from error
