"""Binary models: a NetParameter with the learned values in its layers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from itertools import zip_longest

from netdef.diag import NetdefError
from netdef.schema.netdef_pb2 import LayerParameter, NetParameter
from netdef.schema.problems import DamagedFile, TooLarge
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.stored import Stored
from netdef.schema.weights.values import Array, Weights, blob_parts, describe_blob, read_blob
from netdef.schema.weights.wire import BYTES, Damaged, Field, Reader, header

# Field numbers: of the layers in a net, and of name and blobs in each of the three syntaxes.
_LAYER, _V1_LAYERS, _V0_LAYER = 100, 2, 1
_NAME, _TYPE, _BLOBS = 1, 2, 7
_V1_NAME, _V1_BLOBS = 4, 6
_V0_NAME, _V0_BLOBS = 1, 50
_MOST_BYTES = 2**31 - 1


def read(path: str | os.PathLike[str]) -> Weights:
    """Read the learned values of a .caffemodel, whatever the syntax of its layers.

    Layers without values are left out. Of two layers of one name the later counts, as in Caffe.

    Raises:
        NetdefError: where the file is damaged.
        OSError: where it cannot be read.
    """
    with open(path, "rb") as file, damage_told(path):
        return _read(file, os.fspath(path))


def scan(path: str | os.PathLike[str]) -> list[Stored]:
    """The blobs of a .caffemodel, in its order; their values are not read.

    Raises:
        NetdefError: where the file is damaged.
        OSError: where it cannot be read.
    """
    shown = os.fspath(path)
    found: dict[str, list[Stored]] = {}
    with open(path, "rb") as file, damage_told(path):
        reader = Reader(file)
        for name, kind, blobs in _layers(reader):
            for index, blob in enumerate(blobs):
                words = f"blob {index} of layer `{name}`"
                shape, dtype = describe_blob(reader, blob.start, blob.end, words, shown)
                get = partial(read_at, path, blob.start, blob.end, words)
                stored = Stored(f"{name}[{index}]", name, kind, index, shape, dtype, get)
                if index == 0:
                    found[name] = []
                found[name].append(stored)
    return [stored for layer in found.values() for stored in layer]


def read_at(path: str | os.PathLike[str], start: int, end: int, name: str) -> Array:
    """The values of a blob that is a message between two offsets of a file."""
    with open(path, "rb") as file, damage_told(path):
        return read_blob(Reader(file), start, end, name, os.fspath(path))


def _read(file: BufferedReader, shown: str) -> Weights:
    reader = Reader(file)
    weights: Weights = {}
    for name, _, blobs in _layers(reader):
        arrays = [
            read_blob(reader, blob.start, blob.end, f"blob {i} of layer `{name}`", shown)
            for i, blob in enumerate(blobs)
        ]
        if arrays:
            weights[name] = list[Array | None](arrays)
    return weights


def _layers(reader: Reader) -> Iterator[tuple[str, str, list[Field]]]:
    """Name, type and blobs of each layer; the type is "" in the old syntaxes."""
    for field in reader.fields(0, reader.size):
        if field.wire == BYTES and field.number == _LAYER:
            yield _layer(reader, field, _NAME, _BLOBS, _TYPE)
        elif field.wire == BYTES and field.number == _V1_LAYERS:
            yield _old_layer(reader, field)


def _layer(
    reader: Reader, where: Field, name: int, blobs: int, kind: int = -1
) -> tuple[str, str, list[Field]]:
    texts = {name: "", kind: ""}
    places = []
    for field in reader.fields(where.start, where.end):
        if field.wire == BYTES and field.number in texts:
            texts[field.number] = reader.text(field)
        elif field.wire == BYTES and field.number == blobs:
            places.append(field)
    return texts[name], texts[kind], places


def _old_layer(reader: Reader, where: Field) -> tuple[str, str, list[Field]]:
    """A V1 layer, or the V0 layer inside one."""
    for field in reader.fields(where.start, where.end):
        if field.wire == BYTES and field.number == _V0_LAYER:
            return _layer(reader, field, _V0_NAME, _V0_BLOBS)
    return _layer(reader, where, _V1_NAME, _V1_BLOBS)


def write(
    path: str | os.PathLike[str],
    weights: Weights,
    *,
    diffs: Weights | None = None,
    net: NetParameter | None = None,
) -> None:
    """Write a .caffemodel that Caffe reads.

    Args:
        path: the file.
        weights: the values; every layer with all of its blobs, shared ones too.
        diffs: their gradients, where they are to be saved.
        net: the net they belong to; its layers are written with their settings, as Caffe does.
            Without it a layer is its name and values, which is all that Caffe looks at.

    Raises:
        NetdefError: where the file cannot be written, or would be too large to be read.
        ValueError: where a blob is missing.
    """
    layers = [list(_layer_pieces(*entry)) for entry in _entries(weights, diffs or {}, net)]
    lengths = [sum(map(len, pieces)) for pieces in layers]
    head = _head(net)
    whole = len(head) + sum(lengths)
    if whole > _MOST_BYTES - 8 * len(layers):
        raise NetdefError(
            TooLarge(
                f"`{os.fspath(path)}` would have {whole / 2**30:.1f} GiB, and a binary model "
                "must stay under 2",
                help="save as .caffemodel.h5",
            )
        )
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(head)
        for pieces, length in zip(layers, lengths, strict=True):
            file.write(header(_LAYER, length))
            file.writelines(pieces)


def _head(net: NetParameter | None) -> bytes:
    """The net without its layers."""
    bare = NetParameter()
    for field, value in net.ListFields() if net is not None else ():
        if field.name not in ("layer", "layers"):
            bare.MergeFrom(NetParameter(**{field.name: value}))
    return bare.SerializeToString()


def _entries(
    weights: Weights, diffs: Weights, net: NetParameter | None
) -> Iterator[tuple[LayerParameter, list[Array | None], list[Array | None]]]:
    left = dict(weights)
    for layer in net.layer if net is not None else ():
        bare = LayerParameter()
        bare.CopyFrom(layer)
        bare.ClearField("blobs")
        yield bare, left.pop(layer.name, []), diffs.get(layer.name, [])
    for name, arrays in left.items():
        yield LayerParameter(name=name), arrays, diffs.get(name, [])


def _layer_pieces(
    layer: LayerParameter, arrays: list[Array | None], diffs: list[Array | None]
) -> Iterator[bytes | memoryview]:
    yield layer.SerializeToString()
    for array, diff in zip_longest(arrays, diffs[: len(arrays)]):
        if array is None:
            raise ValueError(f"layer {layer.name!r} lacks the values of a shared blob")
        pieces = list(blob_parts(array, diff))
        yield header(_BLOBS, sum(map(len, pieces)))
        yield from pieces


@contextmanager
def damage_told(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn `Damaged` into the problem of a damaged file."""
    try:
        yield
    except Damaged as error:
        raise NetdefError(
            DamagedFile(
                f"`{os.fspath(path)}` is damaged at byte {error.offset}: {error.what}",
                help="fetch or copy the file again, and compare sizes",
            )
        ) from error
