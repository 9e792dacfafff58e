"""Weights as a NumPy archive: an array `layer/index` for each blob."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tokenize import TokenError
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from netdef.diag import NetdefError
from netdef.schema.problems import DamagedFile
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.stored import Stored, layer_of, name_of
from netdef.schema.weights.values import Weights

StrPath = str | os.PathLike[str]

# What zipfile raises for broken archives, and NumPy for heads of arrays that are none.
_TROUBLE = (
    BadZipFile,
    ZlibError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TokenError,
)


def scan(path: StrPath) -> list[Stored]:
    """The arrays of an archive; of each only the head is read.

    Raises:
        NetdefError: the archive is damaged, or has something that is no array of numbers.
        OSError: it cannot be read.
    """
    found = []
    with _opened(path) as archive:
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                raise ValueError(f"`{info.filename}` in it is no array")
            name = info.filename.removesuffix(".npy")
            with archive.open(info) as file:
                shape, dtype = _head(file, info)
            layer, index = layer_of(name)
            found.append(
                Stored(name, layer, "", index, shape, str(dtype), partial(_values, path, info))
            )
    return found


def _head(file: IO[bytes], info: ZipInfo) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the array, which the member's size must agree with."""
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(file)
    else:
        shape, _, dtype = npy.read_array_header_2_0(file)
    if dtype.kind not in "fiub":
        raise ValueError(f"`{info.filename}` in it has values of type {dtype}")
    count = 1
    for size in shape:
        count *= size
    if count < 0 or count * dtype.itemsize != info.file_size - file.tell():
        raise ValueError(f"`{info.filename}` in it does not fill its shape")
    return shape, dtype


def _values(path: StrPath, info: ZipInfo) -> NDArray[Any]:
    with _opened(path) as archive, archive.open(info) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))


def write(path: StrPath, weights: Weights) -> None:
    """Write an archive; what is None is left out.

    Raises:
        NetdefError: the file cannot be written.
    """
    with replacing(path) as temporary, ZipFile(temporary, "w") as archive:
        for layer, arrays in weights.items():
            for index, array in enumerate(arrays):
                if array is None:
                    continue
                # A fixed date: the same weights give the same file.
                info = ZipInfo(name_of(layer, index) + ".npy")
                with archive.open(info, "w", force_zip64=True) as file:
                    npy.write_array(file, np.asarray(array, order="C"), allow_pickle=False)


@contextmanager
def _opened(path: StrPath) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            yield archive
    except _TROUBLE as error:
        words = str(error).partition("\n")[0].rstrip(".")
        raise NetdefError(
            DamagedFile(
                f"`{os.fspath(path)}` is damaged: {words[:1].lower()}{words[1:]}",
                help="fetch or copy the file again, and compare sizes",
            )
        ) from error
