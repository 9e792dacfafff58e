"""Protobuf's wire format, walked without building messages.

A model's values are almost all of its bytes. Walking past everything else and reading them from
the file straight into their arrays takes the memory of the arrays, and no more.
See https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
# A net of ten thousand layers has about a million fields; more is no net, and takes a second.
MOST_FIELDS = 1 << 20


class Damaged(Exception):
    """The bytes are not a protobuf message.

    Attributes:
        offset: in the file.
        field: number and wire type of the field that breaks off, where it could be read.
    """

    def __init__(self, offset: int, what: str, field: tuple[int, int] | None = None) -> None:
        super().__init__(what)
        self.offset = offset
        self.what = what
        self.field = field


class Field(NamedTuple):
    """A field of a message.

    Attributes:
        number: as in the proto.
        wire: its wire type.
        value: the number of a VARINT; 0 else.
        start: offset of the payload in the file.
        end: offset after it.
    """

    number: int
    wire: int
    value: int
    start: int
    end: int


class Reader:
    """Walks the messages of an open file.

    Args:
        file: opened for binary reading; buffered, so that the small steps are cheap.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self._fields = 0

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message between two offsets; may be nested.

        Raises:
            Damaged: where the bytes are none.
        """
        at = start
        while at < end:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise Damaged(at, f"there are more than {MOST_FIELDS} fields")
            self.file.seek(at)
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            value = 0
            first = at
            if wire == VARINT:
                value, at = self._varint(at, end, (number, wire))
            elif wire == BYTES:
                length, first = self._varint(at, end, (number, wire))
                at = first + length
            elif wire in (FIXED32, FIXED64):
                at += 4 if wire == FIXED32 else 8
            else:
                raise Damaged(at, f"wire type {wire} is not one that Caffe writes")
            if number == 0:
                raise Damaged(first, "a field has the number 0")
            if at > end:
                raise Damaged(
                    first,
                    f"field {number} needs {at - first} bytes, and {end - first} are left",
                    (number, wire),
                )
            yield Field(number, wire, value, first, at)

    def read(self, start: int, end: int) -> bytes:
        """The bytes between two offsets."""
        self.file.seek(start)
        data = self.file.read(end - start)
        if len(data) != end - start:
            raise Damaged(start + len(data), "the file became shorter while it was read")
        return data

    def read_into(self, start: int, target: memoryview) -> None:
        """Fill a writable buffer of bytes from an offset on."""
        self.file.seek(start)
        done = 0
        while done < len(target):
            count = self.file.readinto(target[done:])
            if not count:
                raise Damaged(start + done, "the file became shorter while it was read")
            done += count

    def text(self, field: Field) -> str:
        """The value of a string field."""
        return self.read(field.start, field.end).decode("utf-8", "replace")

    def integers(self, field: Field) -> list[int]:
        """The values of a packed field of int64."""
        found, at = [], field.start
        self.file.seek(at)
        while at < field.end:
            value, at = self._varint(at, field.end)
            found.append(value - (1 << 64) if value >> 63 else value)
        return found

    def _varint(self, at: int, end: int, field: tuple[int, int] | None = None) -> tuple[int, int]:
        value = 0
        for index in range(_LONGEST_VARINT):
            byte = self.file.read(1) if at < end else b""
            if not byte:
                raise Damaged(at, "the bytes end within a number", field)
            at += 1
            value |= (byte[0] & 0x7F) << (7 * index)
            if byte[0] < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at
        raise Damaged(at, "a number has no end", field)


def varint(value: int) -> bytes:
    """A number as the wire has it, least significant seven bits first."""
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def header(number: int, length: int) -> bytes:
    """What stands before the bytes of a BYTES field."""
    return varint(number << 3 | BYTES) + varint(length)
