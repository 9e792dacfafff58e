"""What a database of records is to the rest, and which databases there are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from netdef.data.leveldb_store import LevelDbStore
from netdef.data.lmdb_store import LmdbStore


class Store(Protocol):
    """Records in the order of their keys, open to read.

    A store is cheap to read in order and may be slow to jump in. One thread at a time uses it;
    another thread or process opens the same path again.
    """

    @property
    def name(self) -> str:
        """The path as errors show it."""

    def __len__(self) -> int: ...

    def record(self, index: int) -> tuple[bytes, bytes]:
        """Key and value of a record, counted from 0 in the order of the keys.

        Raises:
            IndexError: there is no such record.
            DataError: the store is damaged, or was written to since it was opened.
        """

    def at(self, number: int) -> tuple[bytes, bytes]:
        """Key and value of record `number` of an endless round.

        What batches ask for: a store that does not know how many records it has need not count
        them first.

        Raises:
            DataError: the store is damaged, or was written to since it was opened.
        """

    def close(self) -> None:
        """Release files."""


def kind_of(path: Path) -> str | None:
    """Which of Caffe's backends a folder holds, told by its files: LMDB, LEVELDB or None."""
    if os.path.isfile(path / "data.mdb"):
        return "LMDB"
    if os.path.isfile(path / "CURRENT") and any(path.glob("MANIFEST-*")):
        return "LEVELDB"
    return None


def open_store(path: Path) -> Store:
    """Open the database in a folder, whichever it is.

    Raises:
        DataError: it is missing, empty, damaged, or of a kind that cannot be read.
    """
    if os.path.isdir(path) and kind_of(path) == "LEVELDB":
        return LevelDbStore(path)
    return LmdbStore(path)
