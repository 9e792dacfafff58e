"""Snappy, the compression of LevelDB's blocks: unpacking only.

Source: format_description.txt of google/snappy. The package `cramjam`, where it is installed, is
faster; a store can be read without it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_MOST = 1 << 30  # bytes of a block; a broken length must not ask for all memory


class SnappyError(ValueError):
    """The bytes are not Snappy's."""


def unpack(data: bytes) -> bytes:
    """The bytes that were packed.

    Raises:
        SnappyError: the data is broken.
    """
    fast = _cramjam()
    if fast is not None:
        try:
            return bytes(fast.decompress_raw(data))
        except Exception as error:  # whatever the package raises
            raise SnappyError(str(error)) from error
    try:
        return _unpack(data)
    except IndexError as error:
        raise SnappyError("it ends early") from error


def _unpack(data: bytes) -> bytes:
    """Literals and copies of what came before, until the length in front is reached."""
    size = shift = at = 0
    while True:
        byte = data[at]
        at += 1
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if size > _MOST:
        raise SnappyError(f"it says it has {size:,} bytes")
    out = bytearray()
    end = len(data)
    while at < end:
        tag = data[at]
        kind = tag & 3
        at += 1
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                more = length - 60
                length = int.from_bytes(data[at : at + more], "little") + 1
                at += more
            out += data[at : at + length]
            at += length
            continue
        if kind == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at]
            at += 1
        else:
            width = 2 if kind == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(data[at : at + width], "little")
            at += width
        start = len(out) - offset
        if offset == 0 or start < 0:
            raise SnappyError("it copies from before its start")
        if offset >= length:
            out += out[start : start + length]
        else:  # the copy reads what it writes
            out += (out[start:] * (length // offset + 1))[:length]
    if len(out) != size or at != end:
        raise SnappyError(f"it has {len(out):,} bytes, and says {size:,}")
    return bytes(out)


@cache
def _cramjam() -> Any:
    try:
        from cramjam import snappy
    except ImportError:
        return None
    return snappy
