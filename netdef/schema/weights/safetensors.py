"""Weights as safetensors: a JSON table of names, types and places, then the bytes.

See https://github.com/huggingface/safetensors, section Format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.diag import NetdefError
from netdef.schema.problems import DamagedFile
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.stored import Stored, layer_of, name_of
from netdef.schema.weights.values import Weights

StrPath = str | os.PathLike[str]

_MOST_HEADER = 100_000_000  # bytes, as the format has it
_MOST_AXES = 32
_NUMPY = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}


def scan(path: StrPath) -> tuple[list[Stored], dict[str, str]]:
    """The arrays of a file and what its header says besides; no values are read.

    Raises:
        NetdefError: the file is damaged.
        OSError: it cannot be read.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, _MOST_HEADER):
            raise _damaged(path, f"its header would have {length} bytes, the file has {size}")
        head = file.read(length)
    try:
        table = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is no JSON") from error
    if not isinstance(table, dict):
        raise _damaged(path, "its header is no table")
    about = table.pop("__metadata__", {})
    found = [_stored(path, name, entry, 8 + length, size) for name, entry in table.items()]
    facts = {str(k): str(v) for k, v in about.items()} if isinstance(about, dict) else {}
    return found, facts


def _stored(path: StrPath, name: str, entry: Any, start: int, size: int) -> Stored:
    try:
        kind, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        whole = all(type(n) is int and n >= 0 for n in (*shape, begin, end))
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole or len(shape) > _MOST_AXES or not isinstance(kind, str):
        raise _damaged(path, f"its header does not say where `{name}` is")
    if start + end > size:
        raise _damaged(path, f"`{name}` would end at byte {start + end}, the file at {size}")
    code = _NUMPY.get(kind)
    if code is not None and prod(shape) * np.dtype(code).itemsize != end - begin:
        raise _damaged(path, f"`{name}` does not fill its shape")
    layer, index = layer_of(name)
    shown = str(np.dtype(code)) if code and kind != "BF16" else kind.lower()
    place = (start + begin, prod(shape))
    return Stored(name, layer, "", index, shape, shown, partial(_values, path, kind, shape, *place))


def _values(path: StrPath, kind: str, shape: tuple[int, ...], at: int, count: int) -> NDArray[Any]:
    if kind not in _NUMPY:
        raise _damaged(path, f"netdef does not read values of type {kind}")
    values = np.fromfile(path, _NUMPY[kind], count, offset=at)
    if values.size != count:
        raise _damaged(path, "it became shorter while it was read")
    if kind == "BF16":
        values = (values.astype("<u4") << 16).view("<f4")
    return values.reshape(shape)


def write(path: StrPath, weights: Weights) -> None:
    """Write a file; what is None is left out.

    Raises:
        NetdefError: the file cannot be written.
    """
    table: dict[str, dict[str, object]] = {}
    at = 0
    for name, array in _named(weights):
        end = at + 4 * array.size
        table[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, end]}
        at = end
    head = json.dumps(table, ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)  # so that the values are aligned
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for _, array in _named(weights):
            file.write(np.ascontiguousarray(array, "<f4").reshape(-1).view(np.uint8).data)


def _named(weights: Weights) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for layer, arrays in weights.items():
        for index, array in enumerate(arrays):
            if array is not None:
                yield name_of(layer, index), array


def _damaged(path: StrPath, words: str) -> NetdefError:
    return NetdefError(
        DamagedFile(
            f"`{os.fspath(path)}` is damaged: {words}",
            help="fetch or copy the file again, and compare sizes",
        )
    )
