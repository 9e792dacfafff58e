"""LMDB stores: folders with a data.mdb, as Caffe's tools make and read them."""

from __future__ import annotations

import os
import shutil
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from netdef.data.errors import DataError, missing_package
from netdef.data.lmdb_pages import Page, PageFile

_FIRST_MAP = 1 << 24  # bytes; doubled whenever it is full
_PUTS = 1000  # records of one transaction
_PUT_BYTES = 1 << 25  # and their size, unless one alone is larger
_LONGEST_KEY = 511  # bytes, LMDB's own limit


class LmdbStore:
    """An LMDB open to read; see `netdef.data.store.Store`.

    Records are found by their place in the order of the keys. The way to a place is learned
    while reading: jumping forward for the first time reads the keys on the way, jumping back or
    again costs nothing.

    Args:
        path: of the folder.

    Raises:
        DataError: there is no such folder, it is no LMDB, is damaged, or holds no records.
    """

    _walk: Iterator[Page]
    _leaf: Page | None
    _leaf_start: int
    _starts: list[int]  # index of the first record of each leaf page seen
    _pages: list[int]  # and the page's number
    _seen: int  # records on them

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        self.name = str(path)
        _check_folder(path)
        self._file = PageFile(path / "data.mdb", self.name)
        if not len(self):
            self._file.close()
            raise DataError(f"`{self.name}` holds no records")
        self._forget()

    def __len__(self) -> int:
        return self._file.meta.entries

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return (self.record(index) for index in range(len(self)))

    def record(self, index: int) -> tuple[bytes, bytes]:
        """Key and value of a record, counted from 0 in the order of the keys."""
        if not 0 <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        leaf = self._leaf
        if leaf is None or not 0 <= index - self._leaf_start < len(leaf.nodes):
            leaf = self._seek(index)
        return self._file.record(leaf, index - self._leaf_start)

    def at(self, number: int) -> tuple[bytes, bytes]:
        """Key and value of record `number` of an endless round."""
        return self.record(number % len(self))

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._file.close()

    def _seek(self, index: int) -> Page:
        """Make the leaf page with a record the current one."""
        self._file.check_unchanged()
        if index < self._seen:
            place = bisect_right(self._starts, index) - 1
            self._leaf = self._file.page(self._pages[place])
            self._leaf_start = self._starts[place]
            return self._leaf
        try:
            return self._walk_to(index)
        except BaseException:
            self._forget()  # a walk that was broken off cannot go on: the next starts anew
            raise

    def _walk_to(self, index: int) -> Page:
        """Go on to the leaf page with a record not seen yet, noting the pages on the way."""
        for page in self._walk:
            self._starts.append(self._seen)
            self._pages.append(page.number)
            self._leaf, self._leaf_start = page, self._seen
            self._seen += len(page.nodes)
            if index < self._seen:
                return page
        raise DataError(
            f"`{self.name}` is corrupt: it says it has {len(self):,} records, there are "
            f"{self._seen:,}",
            "write it again from what it was made of",
        )

    def _forget(self) -> None:
        self._walk = self._file.leaves()
        self._leaf = None
        self._leaf_start = 0
        self._starts = []
        self._pages = []
        self._seen = 0


def write(path: Path | str, items: Iterable[tuple[bytes, bytes]], *, replace: bool = False) -> int:
    """Write an LMDB that Caffe reads.

    The store is made beside its place and moved there when it is whole: an interrupted run
    leaves nothing behind, or the store that was there before.

    Args:
        path: of the folder to make; its parents are made too.
        items: keys and values in any order. Caffe reads records in the order of the keys, as
            bytes: write numbers with leading zeros.
        replace: whether a store may be there already.

    Returns:
        How many records were written.

    Raises:
        DataError: the folder is there already and not `replace`, the disk is full, a key is
            empty, too long or there twice, or the package `lmdb` is missing.
    """
    path = Path(path)
    if os.path.exists(path) and not (replace and os.path.isdir(path)):
        raise DataError(f"`{path}` is there already", "remove it, or write to another place")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        count = _fill(part, path, items)
        _move(part, path)
    except OSError as error:
        raise DataError(f"`{path}` cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count


def _fill(part: Path, path: Path, items: Iterable[tuple[bytes, bytes]]) -> int:
    """Put the records into a new store at `part`, in transactions that fit the memory."""
    try:
        import lmdb
    except ImportError as error:
        raise missing_package("lmdb", "writing an LMDB") from error
    count, waiting = 0, iter(items)
    # synced once at the end: until the folder is moved, nobody misses what a crash loses
    with _lmdb_errors(lmdb, path):
        store = lmdb.open(str(part), map_size=_FIRST_MAP, sync=False, metasync=False)
    try:
        while batch := _take(waiting):
            with _lmdb_errors(lmdb, path):
                _put(lmdb, store, batch, path)
            count += len(batch)
        with _lmdb_errors(lmdb, path):
            store.sync(True)  # noqa: FBT003  # positional only
    finally:
        store.close()
    return count


def _take(items: Iterator[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The next few records."""
    batch, size = [], 0
    for key, value in islice(items, _PUTS):
        if not 1 <= len(key) <= _LONGEST_KEY:
            raise DataError(
                f"a key has 1 to {_LONGEST_KEY} bytes, `{key_text(key)}` has {len(key)}"
            )
        batch.append((key, value))
        size += len(value)
        if size >= _PUT_BYTES:
            break
    return batch


def _put(lmdb: Any, store: Any, batch: list[tuple[bytes, bytes]], path: Path) -> None:
    """Write records in one transaction, with a larger map where they do not fit."""
    while True:
        try:
            with store.begin(write=True) as transaction:
                for key, value in batch:
                    if not transaction.put(key, value, overwrite=False):
                        raise DataError(f"the key `{key_text(key)}` of `{path}` is there twice")
            return
        except lmdb.MapFullError:
            store.set_mapsize(2 * store.info()["map_size"])


@contextmanager
def _lmdb_errors(lmdb: Any, path: Path) -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except lmdb.Error as error:
        raise DataError(f"`{path}` cannot be written: {error}") from error


def _move(part: Path, path: Path) -> None:
    """Put a finished store in its place."""
    if not os.path.exists(path):
        part.rename(path)
        return
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    path.rename(old)
    try:
        part.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def key_text(key: bytes) -> str:
    """A key as errors show it."""
    text = key.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _check_folder(path: Path) -> None:
    if not os.path.exists(path):
        raise DataError(f"`{path}` does not exist")
    if path.name == "data.mdb" and os.path.isfile(path):
        raise DataError(f"`{path}` is a file of an LMDB", f"write its folder: `{path.parent}`")
    if not os.path.isdir(path):
        raise DataError(f"`{path}` is not an LMDB: it is a file, an LMDB is a folder")
    if not os.path.isfile(path / "data.mdb"):
        raise DataError(f"`{path}` is not an LMDB: it has no data.mdb")
