"""LevelDB, the older of Caffe's two databases: reading with our own reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from heapq import merge
from pathlib import Path

from netdef.data.errors import DataError
from netdef.data.leveldb_files import Entry, Files, Table


class LevelDbStore:
    """A LevelDB open to read; see `netdef.data.store.Store`.

    The store is neither locked nor written to. It is cheap to read in order; a jump back reads
    from the start again. How many records there are is not written anywhere: `len` reads all of
    them the first time, `at` finds out when it comes to the end.

    Args:
        path: of the folder.
        checked: look at every checksum, as LevelDB itself does not: slower.

    Raises:
        DataError: there is no such folder, it is no LevelDB, is damaged, or holds no records.
    """

    _walk: Iterator[tuple[bytes, bytes]]
    _place: int  # of the current record
    _current: tuple[bytes, bytes] | None

    def __init__(self, path: Path | str, *, checked: bool = False) -> None:
        path = Path(path)
        self.name = str(path)
        if not os.path.isdir(path):
            raise DataError(
                f"`{path}` is not a LevelDB: it is a file, a LevelDB is a folder"
                if os.path.exists(path)
                else f"`{path}` does not exist"
            )
        if not os.path.isfile(path / "CURRENT"):
            raise DataError(f"`{path}` is not a LevelDB: it has no CURRENT")
        self._files = Files(path, self.name, checked=checked)
        self._version = self._files.version()
        self._chains = _chains(self._version.tables)
        self._logged = self._files.logged(self._version)
        self._count: int | None = None
        self._rewind()
        try:
            self.record(0)
        except IndexError:
            raise DataError(f"`{path}` holds no records") from None

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values in the order of the keys, a key's newest value only."""
        last: bytes | None = None
        for key, _, kind, value in merge(
            self._logged, *map(self._chain, self._chains), key=lambda entry: entry[:2]
        ):
            if key != last:
                last = key
                if kind:
                    yield key, value

    def record(self, index: int) -> tuple[bytes, bytes]:
        """Key and value of a record, counted from 0 in the order of the keys."""
        if index < 0 or (self._count is not None and index >= self._count):
            raise IndexError(f"record {index} of `{self.name}`")
        if index < self._place:
            self._rewind()
        try:
            while self._place < index or self._current is None:
                found = next(self._walk, None)
                if found is None:
                    self._count = self._place + 1
                    self._rewind()
                    raise IndexError(f"record {index} of `{self.name}`")
                self._current = found
                self._place += 1
        except DataError:
            self._rewind()  # a walk that was broken off cannot go on: the next starts anew
            raise
        current = self._current
        assert current is not None
        return current

    def at(self, number: int) -> tuple[bytes, bytes]:
        """Key and value of record `number` of an endless round."""
        if self._count is None:
            try:
                return self.record(number)
            except IndexError:
                if not self._count:
                    raise
        return self.record(number % len(self))

    def close(self) -> None:
        """Close the table that is open; more than once does no harm."""
        self._rewind()

    def _rewind(self) -> None:
        self._walk = iter(self)
        self._place = -1
        self._current = None

    def _chain(self, tables: list[Table]) -> Iterator[Entry]:
        for table in tables:
            try:
                yield from self._files.table(table)
            except DataError:
                self._check_unchanged()
                raise

    def _check_unchanged(self) -> None:
        """Blame whoever wrote to the store since it was opened, and took its tables away."""
        if self._files.version() != self._version:
            raise DataError(
                f"`{self.name}` is being written to",
                "start again when the other program is done, or read a copy",
            )


def _chains(tables: tuple[Table, ...]) -> list[list[Table]]:
    """Rows of tables that follow each other without overlap, so that few are open at once."""
    chains: list[list[Table]] = []
    for table in sorted(tables, key=lambda table: (table.smallest, table.largest)):
        for chain in chains:
            if chain[-1].largest < table.smallest:
                chain.append(table)
                break
        else:
            chains.append([table])
    return chains
