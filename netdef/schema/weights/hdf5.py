"""Weights and solver states as HDF5, in Caffe's layout.

A model has `/data/<layer>/<number>`, and `/diff/...` likewise where gradients were saved; a blob
that a layer shares is left out there and stands with its owner. A state has `iter`,
`learned_net`, `current_step` and `history/<number>`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.diag import NetdefError
from netdef.schema.netdef_pb2 import SolverParameter
from netdef.schema.problems import CannotWrite, DamagedFile, ExtraMissing, NotCaffeHdf5
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.solverstate import SolverStateData, settings
from netdef.schema.weights.stored import Stored
from netdef.schema.weights.values import Array, Weights

# What h5py raises for files that are no HDF5, break off or refer to nothing.
_TROUBLE = (OSError, RuntimeError, KeyError, ValueError, TypeError)
_MOST_PACKED = 1032  # gzip's best, for a file of zeros
_MOST_BLOBS = 10_000  # of one layer; a number beyond is a name that happens to be one
_MOST_SETTINGS = 1 << 20  # bytes of a solver without nets


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read a .caffemodel.h5.

    HDF5 keeps no order: layers come sorted by name. A layer's list has None for a blob that
    the file leaves out because the layer shares it.

    Raises:
        NetdefError: where h5py is missing, or the file is damaged or none of Caffe's.
    """
    weights: Weights = {}
    with _opened(path) as file:
        data = file.get("data")
        if not _is_group(data):
            raise NetdefError(
                NotCaffeHdf5(f"`{os.fspath(path)}` has no group `data` with a layer in it")
            )
        # Layers called `a/b` lie in a group within a group.
        data.visititems(lambda name, entry: _take(weights, name, entry))
    return weights


def scan(path: str | os.PathLike[str]) -> list[Stored]:
    """The blobs of a .caffemodel.h5, sorted by layer and number; their values are not read.

    Raises:
        NetdefError: where h5py is missing, or the file is damaged or none of Caffe's.
    """
    found: list[Stored] = []

    def take(name: str, entry: Any) -> None:
        layer, _, number = name.rpartition("/")
        if not _is_group(entry) and layer and number.isdecimal() and int(number) <= _MOST_BLOBS:
            found.append(_stored(path, f"{layer}[{number}]", layer, int(number), entry))

    with _opened(path) as file:
        if _is_group(file.get("data")):
            file["data"].visititems(take)
    return sorted(found, key=lambda stored: (stored.layer, stored.index))


def scan_state(path: str | os.PathLike[str]) -> tuple[SolverStateData, list[Stored]]:
    """A .solverstate.h5 without its history, whose arrays come beside it, not read yet."""
    with _opened(path) as file:
        slots = _slots(path, file)
        stored = [
            _stored(path, f"history[{index}]", "", index, slot) for index, slot in enumerate(slots)
        ]
        return _head(file), stored


def scan_all(path: str | os.PathLike[str]) -> list[Stored]:
    """The numeric datasets of any HDF5 file; their values are not read."""
    found: list[Stored] = []

    def take(name: str, entry: Any) -> None:
        if not _is_group(entry) and entry.dtype.kind in "fiub" and entry.shape is not None:
            found.append(_stored(path, name, "", len(found), entry))

    with _opened(path) as file:
        file.visititems(take)
    return found


def _stored(path: str | os.PathLike[str], name: str, layer: str, index: int, entry: Any) -> Stored:
    _check_stored(entry)
    get = partial(_read_at, path, entry.name)
    return Stored(name, layer, "", index, entry.shape, str(entry.dtype), get)


def _read_at(path: str | os.PathLike[str], name: str) -> NDArray[Any]:
    with _opened(path) as file:
        return np.asarray(file[name][()])


def _take(weights: Weights, name: str, entry: Any) -> None:
    layer, _, number = name.rpartition("/")
    if _is_group(entry) or not layer or not number.isdecimal() or int(number) > _MOST_BLOBS:
        return
    blobs = weights.setdefault(layer, [])
    blobs.extend([None] * (int(number) + 1 - len(blobs)))
    blobs[int(number)] = _values(entry)


def write_weights(
    path: str | os.PathLike[str], weights: Weights, *, diffs: Weights | None = None
) -> None:
    """Write a .caffemodel.h5 that Caffe reads.

    Args:
        path: the file.
        weights: the values. Caffe saves a shared blob with its owner only, and stops when it
            meets one with a sharer: give None for those.
        diffs: their gradients, where they are to be saved.

    Raises:
        NetdefError: where h5py is missing or the file cannot be written.
    """
    with _created(path) as file:
        for group, arrays in (("data", weights), ("diff", diffs)):
            if arrays is None:
                continue
            top = file.create_group(group)
            for layer, blobs in arrays.items():
                inner = top.require_group(layer)
                for index, blob in enumerate(blobs):
                    if blob is not None:
                        inner.create_dataset(str(index), data=np.asarray(blob, "<f4"))


def read_state(path: str | os.PathLike[str]) -> SolverStateData:
    """Read a .solverstate.h5; as `read_weights`."""
    with _opened(path) as file:
        slots = _slots(path, file)
        return replace(_head(file), history=[_values(slot) for slot in slots])


def _slots(path: str | os.PathLike[str], file: Any) -> list[Any]:
    history = file.get("history")
    if not _is_group(history) or "iter" not in file:
        raise NetdefError(
            NotCaffeHdf5(f"`{os.fspath(path)}` has no `iter` and `history` of a solver state")
        )
    slots = [history.get(str(index)) for index in range(len(history))]
    if None in slots:
        missing = slots.index(None)
        raise NetdefError(
            NotCaffeHdf5(f"`{os.fspath(path)}` has {len(slots)} slots and no slot {missing}")
        )
    return slots


def _head(file: Any) -> SolverStateData:
    return SolverStateData(
        _number(file, "iter"),
        _text(file),
        [],
        _number(file, "current_step"),
        _extra(file),
        _solver(file),
    )


def write_state(path: str | os.PathLike[str], state: SolverStateData) -> None:
    """Write a .solverstate.h5 that Caffe reads.

    Raises:
        NetdefError: where h5py is missing or the file cannot be written.
    """
    # Caffe reads a C string: of fixed length, with a NUL behind it.
    name = state.learned_net.encode()
    with _created(path) as file:
        file.create_dataset("iter", data=np.array([state.iteration], "<i4"))
        file.create_dataset("learned_net", data=np.array(name, f"S{len(name) + 1}"))
        file.create_dataset("current_step", data=np.array([state.current_step], "<i4"))
        history = file.create_group("history")
        for index, slot in enumerate(state.history):
            history.create_dataset(str(index), data=np.asarray(slot, "<f4"))
        if state.extra:  # under names that Caffe does not look for
            names = np.array([key.encode() for key in state.extra])
            file.create_dataset("netdef_extra_name", data=names)
            file.create_dataset(
                "netdef_extra_value", data=np.array(list(state.extra.values()), "<i8")
            )
        if state.solver is not None:
            data = np.frombuffer(state.solver.SerializeToString(), np.uint8)
            file.create_dataset("netdef_solver", data=data)


def _check_stored(entry: Any) -> None:
    # A few bytes can declare any shape: ask first whether the file holds that much.
    if entry.size * entry.dtype.itemsize > _MOST_PACKED * entry.id.get_storage_size():
        raise ValueError(f"(`{entry.name}` has a shape of {entry.size} values and no data for it)")


def _values(entry: Any) -> Array:
    _check_stored(entry)
    values = np.empty(entry.shape, np.float32)
    if values.size:
        entry.read_direct(values)
    return values


def _number(file: Any, name: str) -> int:
    return int(np.asarray(file[name]).reshape(-1)[0]) if name in file else 0


def _extra(file: Any) -> dict[str, int]:
    if "netdef_extra_name" not in file or "netdef_extra_value" not in file:
        return {}
    names = np.asarray(file["netdef_extra_name"]).reshape(-1)
    values = np.asarray(file["netdef_extra_value"]).reshape(-1)
    pairs = zip(names.tolist(), values.tolist(), strict=False)
    return {name.decode("utf-8", "replace"): int(value) for name, value in pairs}


def _solver(file: Any) -> SolverParameter | None:
    if "netdef_solver" not in file or file["netdef_solver"].size > _MOST_SETTINGS:
        return None
    return settings(np.asarray(file["netdef_solver"], np.uint8).tobytes())


def _text(file: Any) -> str:
    value = file["learned_net"][()] if "learned_net" in file else b""
    return value.rstrip(b"\x00").decode("utf-8", "replace") if isinstance(value, bytes) else value


def _is_group(entry: Any) -> bool:
    return hasattr(entry, "visititems")


def _h5py(path: str | os.PathLike[str]) -> Any:
    try:
        import h5py
    except ImportError:
        raise NetdefError(
            ExtraMissing(
                f"`{os.fspath(path)}` is an HDF5 file, and h5py is not installed",
                help='pip install "netdef-prototxt[data]"',
            )
        ) from None
    return h5py


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    h5py = _h5py(path)
    open(path, "rb").close()  # for the system's own words, which HDF5 mixes with its own
    try:
        with h5py.File(path, "r") as file:
            yield file
    except _TROUBLE as error:
        words = str(error).partition("(")[2].rstrip(")") or str(error)
        raise NetdefError(
            DamagedFile(
                f"`{os.fspath(path)}` is damaged: {words}",
                help="fetch or copy the file again, and compare sizes",
            )
        ) from error


@contextmanager
def _created(path: str | os.PathLike[str]) -> Iterator[Any]:
    h5py = _h5py(path)
    with replacing(path) as temporary:
        try:
            with h5py.File(temporary, "w", libver=("earliest", "latest")) as file:
                yield file
        except _TROUBLE as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise NetdefError(
                CannotWrite(f"`{os.fspath(path)}` cannot be written: {error}")
            ) from error
