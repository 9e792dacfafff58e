"""The file formats of LevelDB, as far as reading every record in order needs them.

A store is a folder. CURRENT names the manifest, a log of changes to the set of table files; a
table holds sorted records in blocks, and an index of these; what was written last is in a log.

Why not a library: LevelDB lets one program at a time open a store, even to read, and writes to
it when it is opened. Here nothing is locked or written, and two trainings can read one store.

Source: doc/log_format.md, doc/table_format.md and doc/impl.md of google/leveldb.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netdef.data.crc32c import crc32c, unmask
from netdef.data.errors import DataError
from netdef.data.snappy import SnappyError, unpack

_LOG_BLOCK = 32768
_LOG_HEADER = struct.Struct("<IHB")  # checksum, length, kind
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_BATCH = struct.Struct("<QI")  # sequence number, count
_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57
_TRAILER = 5  # compression, checksum
_MOST_BLOCK = 1 << 30
_AGAIN = "write it again from what it was made of"
_VALUE = 1  # kind of a key; the other, 0, says that the record was deleted

# user key, sequence number negated (the newest of a key first), kind, value
Entry = tuple[bytes, int, int, bytes]


@dataclass(frozen=True, slots=True)
class Table:
    """A table file that the manifest names.

    Attributes:
        number: of the file.
        smallest: its first key.
        largest: its last key.
    """

    number: int
    smallest: bytes
    largest: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """What a manifest says.

    Attributes:
        tables: in use.
        logs: numbers of the logs that are not in tables yet, from this on.
        old_log: one more log, or 0.
    """

    tables: tuple[Table, ...]
    logs: int
    old_log: int


class Files:
    """The files of a store.

    Args:
        folder: of the store.
        name: what errors call it.
        checked: look at every checksum.
    """

    def __init__(self, folder: Path, name: str, *, checked: bool = False) -> None:
        self._folder, self._name, self._checked = folder, name, checked

    def version(self) -> Version:
        """Read the manifest."""
        current = self._bytes(self._folder / "CURRENT").decode("ascii", "replace").strip()
        if not current.startswith("MANIFEST-") or "/" in current:
            raise self._corrupt("its CURRENT names no manifest")
        tables: dict[int, Table] = {}
        logs = old = 0
        for record in self._log_records(self._folder / current, whole=True):
            fields = _Fields(record)
            try:
                while fields.more():
                    tag = fields.number()
                    if tag == 1:
                        order = fields.text()
                        if order != b"leveldb.BytewiseComparator":
                            raise self._corrupt(f"its keys are ordered by `{order.decode()}`")
                    elif tag == 2:
                        logs = fields.number()
                    elif tag in (3, 4):
                        fields.number()
                    elif tag == 5:
                        fields.number()
                        fields.text()
                    elif tag == 6:
                        fields.number()
                        tables.pop(fields.number(), None)
                    elif tag == 7:
                        fields.number()
                        number = fields.number()
                        fields.number()
                        tables[number] = Table(number, fields.text()[:-8], fields.text()[:-8])
                    elif tag == 9:
                        old = fields.number()
                    else:
                        raise self._corrupt(f"`{current}` has an entry of no known kind ({tag})")
            except (IndexError, UnicodeDecodeError) as error:
                raise self._corrupt(f"`{current}` has an entry that is cut short") from error
        return Version(tuple(tables.values()), logs, old)

    def logged(self, version: Version) -> list[Entry]:
        """Records of the logs, sorted; a key can be there many times."""
        entries: list[Entry] = []
        for path in sorted(self._folder.glob("*.log")):
            number = int(path.stem) if path.stem.isdigit() else -1
            if number >= version.logs or (number == version.old_log and number):
                for batch in self._log_records(path, whole=False):
                    entries += self._batch(batch, path)
        entries.sort(key=lambda entry: entry[:2])
        return entries

    def table(self, table: Table) -> Iterator[Entry]:
        """Records of a table, sorted."""
        path = self._folder / f"{table.number:06d}.ldb"
        if not path.exists():  # the ending of old versions
            path = path.with_suffix(".sst")
        try:
            file = open(path, "rb")  # noqa: SIM115  closed when the generator is
        except FileNotFoundError as error:
            raise DataError(
                f"`{self._name}` lacks its file `{table.number:06d}.ldb`",
                "it was written to while it was read, or copied in part: start again, or "
                "copy it again",
            ) from error
        except OSError as error:
            raise DataError(f"`{self._name}` cannot be read: {error.strerror}") from error
        with file:
            size = path.stat().st_size
            file.seek(max(0, size - _FOOTER))
            footer = file.read(_FOOTER)
            if len(footer) < _FOOTER or int.from_bytes(footer[-8:], "little") != _MAGIC:
                raise self._corrupt(f"`{path.name}` is cut short")
            try:
                fields = _Fields(footer)
                fields.number()
                fields.number()
                index = fields.number(), fields.number()
                for _, handle in self._block(file, index, path.name, size):
                    fields = _Fields(handle)
                    block = fields.number(), fields.number()
                    for key, value in self._block(file, block, path.name, size):
                        tail = int.from_bytes(key[-8:], "little")
                        yield key[:-8], -(tail >> 8), tail & 255, value
            except IndexError as error:
                raise self._corrupt(f"`{path.name}` has a block that is cut short") from error

    def _block(
        self, file: object, handle: tuple[int, int], name: str, file_size: int
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of a block."""
        offset, size = handle
        if size > _MOST_BLOCK or offset + size + _TRAILER > file_size:
            raise self._corrupt(f"`{name}` has a block outside of it")
        file.seek(offset)  # type: ignore[attr-defined]  # a file
        data: bytes = file.read(size + _TRAILER)  # type: ignore[attr-defined]
        packed = data[size]
        if self._checked and crc32c(data[: size + 1]) != unmask(
            int.from_bytes(data[size + 1 :], "little")
        ):
            raise self._corrupt(f"the checksum of a block of `{name}` is wrong (byte {offset:,})")
        if packed > 1:
            raise DataError(
                f"`{self._name}` is packed in a way that Caffe does not read ({packed})", _AGAIN
            )
        data = data[:size]
        if packed:
            try:
                data = unpack(data)
            except SnappyError as error:
                raise self._corrupt(f"a block of `{name}` cannot be unpacked: {error}") from error
        yield from _entries(data)

    def _batch(self, data: bytes, path: Path) -> Iterator[Entry]:
        """What one write put into a log."""
        try:
            sequence, count = _BATCH.unpack_from(data)
            fields = _Fields(data, _BATCH.size)
            for place in range(count):
                kind = fields.byte()
                key = fields.text()
                value = fields.text() if kind == _VALUE else b""
                yield key, -(sequence + place), kind, value
        except (IndexError, struct.error) as error:
            raise self._corrupt(f"`{path.name}` has an entry that is cut short") from error

    def _log_records(self, path: Path, *, whole: bool) -> Iterator[bytes]:
        """Records of a log; one that was being written when the writer died is left out."""
        data = self._bytes(path)
        parts: list[bytes] = []
        at = 0
        while at + _LOG_HEADER.size <= len(data):
            rest = _LOG_BLOCK - at % _LOG_BLOCK
            if rest < _LOG_HEADER.size:
                at += rest
                continue
            stored, length, kind = _LOG_HEADER.unpack_from(data, at)
            start = at + _LOG_HEADER.size
            end = start + length
            if kind == 0 and length == 0:  # space set aside and not used
                at += rest
                continue
            if end > len(data):
                if whole:
                    raise self._corrupt(f"`{path.name}` is cut short")
                return
            if (
                kind not in (_FULL, _FIRST, _MIDDLE, _LAST)
                or (kind in (_MIDDLE, _LAST) and not parts)
                or length > rest - _LOG_HEADER.size
                or ((self._checked or whole) and crc32c(data[start - 1 : end]) != unmask(stored))
            ):
                raise self._corrupt(f"`{path.name}` has a broken entry at byte {at:,}")
            if kind in (_FULL, _FIRST):
                parts = []
            parts.append(data[start:end])
            if kind in (_FULL, _LAST):
                yield b"".join(parts)
                parts = []
            at = end

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise DataError(f"`{self._name}` lacks its file `{path.name}`", _AGAIN) from error
        except OSError as error:
            raise DataError(f"`{self._name}` cannot be read: {error.strerror}") from error

    def _corrupt(self, what: str) -> DataError:
        return DataError(f"`{self._name}` is corrupt: {what}", _AGAIN)


class _Fields:
    """Numbers and texts one after the other, each text behind its length."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self._at = data, at

    def more(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        value, self._at = _varint(self._data, self._at)
        return value

    def text(self) -> bytes:
        size = self.number()
        self._at += size
        if self._at > len(self._data):
            raise IndexError("the text runs out of the data")
        return self._data[self._at - size : self._at]


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of an unpacked block; a key leaves out what it shares with the last."""
    if len(data) < 4:
        raise IndexError("no room for the restarts")
    end = len(data) - 4 * (int.from_bytes(data[-4:], "little") + 1)
    if end < 0:
        raise IndexError("more restarts than bytes")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(data, at)
        own, at = _varint(data, at)
        size, at = _varint(data, at)
        if shared > len(key) or at + own + size > end:
            raise IndexError("an entry runs out of its block")
        key = key[:shared] + data[at : at + own]
        at += own
        yield key, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where it ends."""
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    value, shift = byte & 127, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at + 1
        shift += 7
        if shift > 63:
            raise IndexError("a number of more than 64 bits")
