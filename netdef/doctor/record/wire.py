"""The few protocol buffer messages of TensorBoard, put together by hand.

Source: tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto, the field
numbers only.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many of some values lie where.

    Attributes:
        least: of the values.
        most: of the values.
        count: of the values.
        total: their sum.
        squares: sum of their squares.
        limits: upper ends of the buckets, rising.
        buckets: values in each.
    """

    least: float
    most: float
    count: float
    total: float
    squares: float
    limits: Sequence[float]
    buckets: Sequence[float]


def event(wall_time: float, step: int, summary: bytes = b"", version: str = "") -> bytes:
    """An Event: when, at which step, and either a summary or, as the first of a file, a version."""
    parts = [_double(1, wall_time), _int(2, step)]
    if version:
        parts.append(_bytes(3, version.encode()))
    if summary:
        parts.append(_bytes(5, summary))
    return b"".join(parts)


def scalar(tag: str, value: float) -> bytes:
    """A Summary with one number."""
    return _bytes(1, _bytes(1, tag.encode()) + _key(2, _FIXED32) + struct.pack("<f", value))


def histogram(tag: str, found: Histogram) -> bytes:
    """A Summary with a histogram."""
    body = b"".join(
        (
            _double(1, found.least),
            _double(2, found.most),
            _double(3, found.count),
            _double(4, found.total),
            _double(5, found.squares),
            _doubles(6, found.limits),
            _doubles(7, found.buckets),
        )
    )
    return _bytes(1, _bytes(1, tag.encode()) + _bytes(5, body))


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _int(field: int, value: int) -> bytes:
    return _key(field, _VARINT) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _key(field, _FIXED64) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(value)) + value


def _doubles(field: int, values: Sequence[float]) -> bytes:
    return _bytes(field, struct.pack(f"<{len(values)}d", *values))
