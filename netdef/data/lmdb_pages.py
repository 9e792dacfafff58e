"""The file format of LMDB, as far as reading every record in order needs it.

A file is a row of pages of equal size. Two of them, the meta pages, say where the root of a tree
of pages is; the later of the two counts. Branch pages point to pages, leaf pages hold the
records in the order of their keys; a value too big for its leaf lies on overflow pages of its own.

Why not the `lmdb` package: the library trusts its file, and a damaged one ends the whole process
with a bus error; it also refuses to open one store twice in a process, as the TRAIN and the TEST
net of a solver do. Here every number is checked before it is used.

Source: the structures of LMDB 0.9 (data format 1, 64 bit, little-endian), the one Caffe uses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from weakref import finalize

from netdef.data.errors import DataError

_MAGIC = 0xBEEFC0DE
_FORMAT = 1
_HEADER = struct.Struct("<QHHHH")  # page number, padding, flags, end of pointers, start of nodes
_NODE = struct.Struct("<HHHH")  # size or page (low, high), flags, key size
# magic, format, address, map size, 2 trees of (pad, flags, depth, branches, leaves, overflows,
# entries, root), last page, transaction
_META = struct.Struct("<IIQQ" + "IHHQQQQQ" * 2 + "QQ")
_BRANCH, _LEAF, _OVERFLOW, _IS_META = 1, 2, 4, 8
_BIG = 1  # flag of a node whose value lies on overflow pages
_SORTED_VALUES = 4  # flag of a tree that holds several values for a key
_NO_PAGE = 2**64 - 1
_AGAIN = "write it again from what it was made of"
_LEAST_RECORD = _NODE.size + 2  # bytes: a node and the pointer to it
_DEEPEST = 32  # as in LMDB's own cursor


@dataclass(frozen=True, slots=True)
class Meta:
    """What a meta page says.

    Attributes:
        page_size: bytes of a page.
        depth: levels of the main tree; 0 where it is empty.
        entries: records in it.
        root: its page.
        last_page: number of the last page in use.
        transaction: counts the writes; the meta page with the later one is valid.
    """

    page_size: int
    depth: int
    entries: int
    root: int
    last_page: int
    transaction: int


@dataclass(frozen=True, slots=True)
class Page:
    """A branch or leaf page.

    Attributes:
        number: of the page.
        leaf: whether it holds records.
        bytes: the whole page.
        nodes: offsets of its nodes.
    """

    number: int
    leaf: bool
    bytes: bytes
    nodes: tuple[int, ...]


class PageFile:
    """A data.mdb file, open to read.

    Args:
        path: of the file.
        name: what errors call it.

    Raises:
        DataError: the file is no LMDB, or damaged.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        try:
            file = open(path, "rb", buffering=0)  # noqa: SIM115  # lives as long as the object
        except OSError as error:
            raise DataError(f"`{name}` cannot be read: {error.strerror}") from error
        self._file = file
        self._close = finalize(self, file.close)  # nets are forgotten rather than closed
        try:
            self.meta = self._newest_meta()
            self._check_size()
        except BaseException:
            self.close()
            raise

    def leaves(self) -> Iterator[Page]:
        """All leaf pages in the order of their keys."""
        meta = self.meta
        if meta.root == _NO_PAGE:
            return
        todo, seen = [(meta.root, 1)], 0
        while todo:
            number, level = todo.pop()
            page = self.page(number)
            seen += 1
            if page.leaf != (level == meta.depth) or seen > meta.last_page:
                self._corrupt(f"page {number} is out of place")
            if page.leaf:
                yield page
            else:
                below = [self._child(page, node) for node in page.nodes]
                todo.extend((child, level + 1) for child in reversed(below))

    def page(self, number: int) -> Page:
        """Read a branch or leaf page."""
        size = self.meta.page_size
        data = self._read(number, size)
        _, _, flags, lower, upper = _HEADER.unpack_from(data)
        kind = flags & (_BRANCH | _LEAF | _OVERFLOW | _IS_META)
        if kind not in (_BRANCH, _LEAF) or not _HEADER.size <= lower <= upper <= size:
            self._corrupt(f"page {number} is no page of a tree")
        count = (lower - _HEADER.size) // 2
        nodes = struct.unpack_from(f"<{count}H", data, _HEADER.size)
        if not nodes or min(nodes) < upper or max(nodes) + _NODE.size > size:
            self._corrupt(f"page {number} has nodes outside of it")
        return Page(number, kind == _LEAF, data, nodes)

    def record(self, page: Page, index: int) -> tuple[bytes, bytes]:
        """Key and value of a record of a leaf page."""
        at = page.nodes[index]
        low, high, flags, key_size = _NODE.unpack_from(page.bytes, at)
        size, start = low | high << 16, at + _NODE.size + key_size
        if flags & ~_BIG:
            self._corrupt(f"page {page.number} holds a record of no known kind")
        end = start + (8 if flags & _BIG else size)
        if end > len(page.bytes):
            self._corrupt(f"page {page.number} has a record that runs out of it")
        key, value = page.bytes[at + _NODE.size : start], page.bytes[start:end]
        if flags & _BIG:
            value = self._overflow(int.from_bytes(value, "little"), size)
        return key, value

    def check_unchanged(self) -> None:
        """Refuse to go on where someone has written to the file since it was opened.

        LMDB gives the pages that a write replaced to later writes, so that what is read here
        could be a mixture.
        """
        if self._newest_meta().transaction != self.meta.transaction:
            raise DataError(
                f"`{self._name}` is being written to",
                "start again when the other program is done, or read a copy",
            )

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._close()

    def _newest_meta(self) -> Meta:
        first = self._meta(0)
        second = self._meta(first.page_size)
        return max(first, second, key=lambda meta: meta.transaction)

    def _meta(self, offset: int) -> Meta:
        self._file.seek(offset)
        head = self._file.read(_HEADER.size + _META.size)
        if len(head) < _HEADER.size + _META.size:
            what = "is cut short" if head or offset else "is empty"
            raise DataError(f"`{self._name}` is not an LMDB: its data.mdb {what}", _AGAIN)
        flags = _HEADER.unpack_from(head)[2]
        fields = _META.unpack_from(head, _HEADER.size)
        magic, version, _, _, page_size = fields[:5]
        tree, depth, _, _, _, entries, root, last, transaction = fields[13:]
        if magic != _MAGIC or not flags & _IS_META:
            self._foreign(head)
        if version != _FORMAT:
            raise DataError(
                f"`{self._name}` is in format {version} of LMDB, netdef and Caffe read format 1",
                "write it with LMDB 0.9",
            )
        if page_size & (page_size - 1) or not 256 <= page_size <= 65536:
            raise self._damaged(f"its page size is {page_size}")
        if (root == _NO_PAGE) != (depth == 0) or depth > _DEEPEST or bool(entries) != bool(depth):
            raise self._damaged("its root is out of place")
        if entries > last * page_size // _LEAST_RECORD:
            raise self._damaged(f"it says it has {entries:,} records, more than fit into it")
        if tree & _SORTED_VALUES:
            raise DataError(f"`{self._name}` holds several values for a key, Caffe's stores do not")
        return Meta(page_size, depth, entries, root, last, transaction)

    def _foreign(self, head: bytes) -> NoReturn:
        magic = _MAGIC.to_bytes(4, "little")
        if magic in head[:20] or magic[::-1] in head[:20]:
            raise DataError(
                f"`{self._name}` was written on another kind of machine (32 bit or big-endian)",
                "write it again on a 64-bit machine",
            )
        raise DataError(f"`{self._name}` is not an LMDB: its data.mdb is another kind of file")

    def _check_size(self) -> None:
        size = self._file.seek(0, 2)
        needed = (self.meta.last_page + 1) * self.meta.page_size
        if size < needed:
            raise DataError(
                f"`{self._name}` is cut short: its data.mdb has {size:,} of {needed:,} bytes",
                "copy it again, or " + _AGAIN,
            )

    def _child(self, page: Page, node: int) -> int:
        low, high, top, _ = _NODE.unpack_from(page.bytes, node)
        return int(low | high << 16 | top << 32)

    def _overflow(self, number: int, size: int) -> bytes:
        """A value on pages of its own, which have one header together."""
        whole = _HEADER.size + size
        pages = -(-whole // self.meta.page_size)
        if number + pages - 1 > self.meta.last_page:
            self._corrupt(f"a value of {size:,} bytes on page {number} runs out of the file")
        data = self._read(number, whole)
        _, _, flags, low, high = _HEADER.unpack_from(data)
        if not flags & _OVERFLOW or (low | high << 16) < pages:
            self._corrupt(f"page {number} does not hold a value of {size:,} bytes")
        return data[_HEADER.size :]

    def _read(self, number: int, size: int) -> bytes:
        """Bytes from the start of a page on, whose header names the page."""
        if not 2 <= number <= self.meta.last_page:
            self._corrupt(f"there is no page {number}")
        try:
            self._file.seek(number * self.meta.page_size)
            data = self._file.read(size)
        except OSError as error:
            raise DataError(f"`{self._name}` cannot be read: {error.strerror}") from error
        if len(data) < size:
            self._corrupt(f"page {number} is cut short")
        if _HEADER.unpack_from(data)[0] != number:
            self._corrupt(f"page {number} holds something else")
        return data

    def _corrupt(self, what: str) -> NoReturn:
        self.check_unchanged()
        raise self._damaged(what)

    def _damaged(self, what: str) -> DataError:
        return DataError(f"`{self._name}` is corrupt: {what}", _AGAIN)
