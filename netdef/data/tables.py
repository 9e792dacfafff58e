"""Rows in .npz and .csv files, sources of netdef's own beside HDF5.

An .npz holds arrays by name, as `numpy.savez(path, data=..., label=...)` writes them. A .csv
holds a number in every column; its first line may name the columns. A top takes the column of
its name; the one top that no column has the name of takes all columns that are left, in their
order. Without names the last columns are those of the last tops, and the first top takes the
rest.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import DataError
from netdef.diag import nearest

_ENDINGS = (".npz", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a .csv file.

    Attributes:
        names: of the columns; () for none.
        values: (rows, columns).
        classes: of the text column, where there was one: its numbers stand for these.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    classes: tuple[str, ...] = ()


def is_table(path: Path) -> bool:
    """Whether a path is that of an .npz or .csv file."""
    return path.suffix.lower() in _ENDINGS


def row_shapes(path: Path, tops: Sequence[str]) -> list[tuple[int, ...]]:
    """Shapes of the arrays that `read_rows` gives; of an .npz without reading the values.

    Raises:
        DataError: as `read_rows`.
    """
    if path.suffix.lower() != ".npz":
        return [values.shape for values in read_rows(path, tops)]
    shapes = _npz(path, tops, values=False)
    rows = {shape[0] for shape in shapes}
    if len(rows) > 1:
        pairs = zip(tops, shapes, strict=True)
        counts = ", ".join(f"`{name}` {shape[0]}" for name, shape in pairs)
        raise DataError(f"the arrays of `{path}` differ in rows: {counts}")
    return shapes


def read_rows(path: Path, tops: Sequence[str]) -> list[NDArray[Any]]:
    """An array for each top, the first axis its rows.

    Raises:
        DataError: the file is missing or broken, or lacks an array or a column.
    """
    if path.suffix.lower() == ".npz":
        return _npz(path, tops, values=True)
    stat = _stat(path)
    return _columns(path, _cached(path, stat), tops)


def npz_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of all arrays of an .npz that have rows.

    Raises:
        DataError: it is missing or broken.
    """
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
    except (BadZipFile, OSError) as error:
        raise DataError(f"`{path}` is damaged, or no .npz file") from error
    return dict(zip(names, _npz(path, names, values=False), strict=True))


def read_csv(path: Path, *, text_column: str | int | None = None) -> Table:
    """Read a .csv file; commas, semicolons or tabs stand between the columns.

    Args:
        path: of the file.
        text_column: name or number of a column that may hold words; each word is given the
            number of its place in alphabetical order.

    Raises:
        DataError: it is missing, or a line has another number of columns or no number.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            comma = max(",;\t", key=head.count) if any(c in head for c in ",;\t") else ","
            return _parse(path, csv.reader(file, delimiter=comma), text_column)
    except FileNotFoundError as error:
        raise DataError(f"`{path}` does not exist") from error
    except UnicodeDecodeError as error:
        raise DataError(f"`{path}` is not a text file") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"`{path}` cannot be read: {error}") from error


def _parse(path: Path, lines: Any, text_column: str | int | None) -> Table:
    names: tuple[str, ...] = ()
    values, words = array("f"), list[str]()
    width = text = -1
    for row in lines:
        if not row or (len(row) == 1 and not row[0].strip()):
            continue
        if width < 0:
            width = len(row)
            text = _text_column(path, row, text_column)
            if any(not _is_number(cell) for place, cell in enumerate(row) if place != text):
                names = tuple(cell.strip() for cell in row)
                continue
        if len(row) != width:
            raise DataError(
                f"line {lines.line_num} of `{path}` has {len(row)} columns, the first has {width}"
            )
        for place, cell in enumerate(row):
            if place == text:
                words.append(cell.strip())
                values.append(0)
                continue
            try:
                values.append(float(cell))
            except ValueError as error:
                raise DataError(
                    f"line {lines.line_num} of `{path}` has `{cell}` in column {place + 1}, "
                    "which is no number"
                ) from error
    if not values:
        raise DataError(f"`{path}` holds no rows")
    table = np.frombuffer(values, np.float32).reshape(-1, width).copy()
    classes: tuple[str, ...] = ()
    if words:
        if all(map(_is_number, words)):
            table[:, text] = np.array(words, np.float32)
        else:
            classes = tuple(sorted(set(words)))
            numbers = {word: number for number, word in enumerate(classes)}
            table[:, text] = [numbers[word] for word in words]
    return Table(names, table, classes)


def _text_column(path: Path, row: list[str], column: str | int | None) -> int:
    if column is None:
        return -1
    if isinstance(column, int):
        if not -len(row) <= column < len(row):
            raise DataError(f"`{path}` has {len(row)} columns, none of number {column}")
        return column % len(row)
    cells = [cell.strip() for cell in row]
    if column in cells:
        return cells.index(column)
    near = nearest(column, cells, 1)
    raise DataError(
        f"`{path}` has no column `{column}`",
        f"the nearest is `{near[0]}`" if near else "its columns are " + ", ".join(cells),
    )


def _columns(path: Path, table: Table, tops: Sequence[str]) -> list[NDArray[np.float32]]:
    """The columns of each top."""
    values, width = table.values, table.values.shape[1]
    if not table.names:
        if width < len(tops):
            raise DataError(f"`{path}` has {width} columns, the layer has {len(tops)} tops")
        split = width - len(tops) + 1
        return [values[:, :split], *(values[:, split + i] for i in range(len(tops) - 1))]
    rest = [top for top in tops if top not in table.names]
    left = [i for i, name in enumerate(table.names) if name not in tops]
    if len(rest) > 1 or (rest and not left):
        raise DataError(
            f"`{path}` has no column `{rest[-1]}`, it has "
            + ", ".join(f"`{name}`" for name in table.names),
            "name tops after columns; one top may take all columns that are left",
        )
    return [values[:, left] if top in rest else values[:, table.names.index(top)] for top in tops]


def _npz(path: Path, tops: Sequence[str], *, values: bool) -> list[Any]:
    """The arrays of the tops, or their shapes."""
    from zipfile import BadZipFile, ZipFile

    found: list[Any] = []
    try:
        with ZipFile(path) as archive:
            has = [name.removesuffix(".npy") for name in archive.namelist()]
            for top in tops:
                if top not in has:
                    near = nearest(top, has, most=1)
                    known = ", ".join(f"`{key}`" for key in has) or "no arrays"
                    raise DataError(
                        f"`{path}` has no array `{top}`, it has {known}",
                        f"name the top `{near[0]}`" if near else "name the top after an array",
                    )
                with archive.open(f"{top}.npy") as file:
                    found.append(_npy(file, values=values, what=f"the array `{top}` of `{path}`"))
    except FileNotFoundError as error:
        raise DataError(f"`{path}` does not exist") from error
    except (BadZipFile, ValueError, EOFError) as error:
        raise DataError(f"`{path}` is damaged, or no .npz file") from error
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {error.strerror}") from error
    return found


def _npy(file: Any, *, values: bool, what: str) -> Any:
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(file)
    else:
        shape, fortran, dtype = npy.read_array_header_2_0(file)
    if dtype.kind not in "fiub":
        raise DataError(f"{what} holds {dtype}, not numbers")
    if not shape:
        raise DataError(f"{what} has no axes, needs one of rows")
    if not values:
        return shape
    data = np.frombuffer(file.read(), dtype)
    return data.reshape(shape[::-1]).T if fortran else data.reshape(shape)


@lru_cache(2)
def _cached(path: Path, stat: tuple[int, int]) -> Table:
    del stat  # a file that has changed is another one
    return read_csv(path)


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise DataError(f"`{path}` does not exist") from error
    return found.st_mtime_ns, found.st_size


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def label_column(table: Table, column: str | int) -> int:
    """The number of the column that `read_csv` was told of."""
    if isinstance(column, int):
        return column % int(table.values.shape[1])
    return table.names.index(column) if column in table.names else int(column)
