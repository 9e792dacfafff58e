"""Learned values by layer, and one blob of them on the wire."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray

from netdef.diag import NetdefError
from netdef.schema.netdef_pb2 import BlobProto, BlobShape
from netdef.schema.problems import BlobDoesNotFill
from netdef.schema.weights.wire import BYTES, VARINT, Damaged, Field, Reader, header

Array: TypeAlias = NDArray[np.float32]

# Layer name to its learned blobs, in the order of the file. None stands for a blob that an HDF5
# file leaves out because the layer shares it: its values are with the layer that owns it.
Weights: TypeAlias = dict[str, list[Array | None]]

_M = TypeVar("_M", bound=Message)

_MOST_AXES = 32  # as in Caffe
_MOST_SHAPE_BYTES = 16 * _MOST_AXES
_LEGACY_SHAPE = range(1, 5)  # num, channels, height, width
_DATA, _DIFF, _SHAPE, _DOUBLE = 5, 6, 7, 8
# NVIDIA's fork, and OpenCV's half precision models, keep values as plain bytes.
_RAW_TYPE, _RAW = 10, 12
_RAW_TYPES = {0: "<f8", 1: "<f4", 2: "<f2"}


@dataclass(slots=True)
class _Parts:
    """What a blob's fields say, before its values are read."""

    legacy: dict[int, int] = field(default_factory=dict)
    dims: tuple[int, ...] = ()
    values: list[tuple[str, Field]] = field(default_factory=list)
    raw_type: int = 1
    packed: bool = True


def read_blob(reader: Reader, start: int, end: int, name: str, file: str) -> Array:
    """Read a BlobProto's values.

    Args:
        reader: on the file.
        start: offset of the message.
        end: offset after it.
        name: what to call the blob in a problem.
        file: the file's name, for a problem.

    Returns:
        Aligned and writable; of the shape in the file, which is (1, 1, a, b) for a matrix in
        files of 2014.

    Raises:
        Damaged: where the bytes are no blob.
        NetdefError: where its values do not fill its shape.
    """
    parts = _parts(reader, start, end)
    if not parts.packed or len(parts.values) > 1:
        return _read_loose(reader, start, end, name, file)
    shape = tuple(parts.legacy.get(i, 0) for i in _LEGACY_SHAPE) if parts.legacy else parts.dims
    if not parts.values:
        return _shaped(np.empty(0, np.float32), shape, name, file)
    kind, where = parts.values[0]
    if kind == "raw":
        kind = _RAW_TYPES.get(parts.raw_type, "")
        if not kind:
            raise Damaged(where.start, f"blob type {parts.raw_type} is not one of values")
    dtype = np.dtype(kind)
    count, rest = divmod(where.end - where.start, dtype.itemsize)
    if rest:
        raise Damaged(where.start, f"{where.end - where.start} bytes are no whole values")
    _check(count, shape, name, file)  # before memory is asked for
    values = np.empty(count, dtype)
    reader.read_into(where.start, values.view(np.uint8).data)
    return values.astype(np.float32, copy=False).reshape(shape)


def describe_blob(
    reader: Reader, start: int, end: int, name: str, file: str
) -> tuple[tuple[int, ...], str]:
    """Shape and type of a BlobProto's values, which are not read; arguments as `read_blob`.

    Raises:
        Damaged: where the bytes are no blob.
        NetdefError: where its values do not fill its shape.
    """
    parts = _parts(reader, start, end)
    shape = tuple(parts.legacy.get(i, 0) for i in _LEGACY_SHAPE) if parts.legacy else parts.dims
    if not parts.packed or len(parts.values) != 1:
        return read_blob(reader, start, end, name, file).shape, "float32"
    kind, where = parts.values[0]
    dtype = np.dtype(_RAW_TYPES.get(parts.raw_type, "V1") if kind == "raw" else kind)
    _check((where.end - where.start) // dtype.itemsize, shape, name, file)
    return shape, str(dtype)


def _parts(reader: Reader, start: int, end: int) -> _Parts:
    parts = _Parts()
    for found in reader.fields(start, end):
        number, wire = found.number, found.wire
        if number in _LEGACY_SHAPE and wire == VARINT:
            parts.legacy[number] = _int32(found.value)
        elif number == _SHAPE and wire == BYTES:
            parts.dims = (*parts.dims, *_dims(reader, found))
        elif number == _DATA:
            parts.packed &= wire == BYTES
            parts.values.append(("<f4", found))
        elif number == _DOUBLE:
            parts.packed &= wire == BYTES
            parts.values.append(("<f8", found))
        elif number == _RAW_TYPE and wire == VARINT:
            parts.raw_type = found.value
        elif number == _RAW and wire == BYTES:
            parts.values.append(("raw", found))
    return parts


def _dims(reader: Reader, where: Field) -> tuple[int, ...]:
    if where.end - where.start > _MOST_SHAPE_BYTES:
        raise Damaged(where.start, f"a shape has more than {_MOST_AXES} axes")
    return tuple(_message(BlobShape, reader, where.start, where.end).dim)


def _int32(value: int) -> int:
    return (value & 0xFFFF_FFFF ^ 0x8000_0000) - 0x8000_0000


def _message(kind: type[_M], reader: Reader, start: int, end: int) -> _M:
    try:
        return kind.FromString(reader.read(start, end))
    except DecodeError:
        raise Damaged(start, f"these bytes are no {kind.DESCRIPTOR.name}") from None


def _read_loose(reader: Reader, start: int, end: int, name: str, file: str) -> Array:
    """A blob written one value at a time or in pieces: legal, but nobody's habit."""
    blob = _message(BlobProto, reader, start, end)
    values = blob.double_data or blob.data
    legacy = any(blob.HasField(n) for n in ("num", "channels", "height", "width"))
    shape = (blob.num, blob.channels, blob.height, blob.width) if legacy else blob.shape.dim
    return _shaped(np.asarray(values, np.float32), tuple(shape), name, file)


def _shaped(values: Array, shape: tuple[int, ...], name: str, file: str) -> Array:
    _check(values.size, shape, name, file)
    return values.reshape(shape)


def _check(count: int, shape: tuple[int, ...], name: str, file: str) -> None:
    if any(n < 0 for n in shape) or len(shape) > _MOST_AXES or math.prod(shape) != count:
        asked = " x ".join(map(str, shape)) or "of no axes (one value)"
        raise NetdefError(
            BlobDoesNotFill(f"`{file}`: {name} has {count} values, which is not its shape {asked}")
        )


def blob_parts(values: Array, diff: Array | None = None) -> Iterator[bytes | memoryview]:
    """A BlobProto as pieces to write; the values are not copied where they lie in order."""
    shape = BlobShape(dim=values.shape).SerializeToString()
    for number, array in ((_DATA, values), (_DIFF, diff)):
        if array is not None:
            flat = np.ascontiguousarray(array, "<f4").reshape(-1)
            yield header(number, flat.nbytes)
            yield flat.view(np.uint8).data
    yield header(_SHAPE, len(shape)) + shape


def fit(values: Array, shape: Sequence[int]) -> Array | None:
    """The values under a shape, as far as Caffe takes the two for the same.

    Files of 2014 have four axes always, so that (1, 1, a, b) stands for (a, b) and (1, 1, 1, a)
    for (a,). Nothing else fits, equal counts or not.

    Args:
        values: as read.
        shape: as wanted.

    Returns:
        The same values, not copied; None where they do not fit.
    """
    wanted = tuple(shape)
    if values.shape == wanted:
        return values
    if values.ndim == len(_LEGACY_SHAPE) and len(wanted) < values.ndim:
        padded = (1,) * (values.ndim - len(wanted)) + wanted
        return values.reshape(wanted) if values.shape == padded else None
    return None
