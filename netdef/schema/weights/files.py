"""Reading and writing weights and states in whatever format."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from netdef.diag import NetdefError
from netdef.schema.access import unreadable
from netdef.schema.netdef_pb2 import NetParameter
from netdef.schema.problems import DamagedFile, WrongKind
from netdef.schema.sniff import Kind, sniff
from netdef.schema.weights import caffemodel, hdf5, npz, safetensors, solverstate
from netdef.schema.weights.solverstate import SolverStateData
from netdef.schema.weights.stored import Stored
from netdef.schema.weights.values import Weights

StrPath = str | os.PathLike[str]

_ARCHIVES: dict[Kind, Callable[[StrPath], list[Stored]]] = {
    Kind.NPZ: npz.scan,
    Kind.SAFETENSORS: lambda path: safetensors.scan(path)[0],
}
_WHERE = {
    Kind.NET_TEXT: "the text of a net goes where the model is named",
    Kind.SOLVER_TEXT: "the text of a solver goes where the solver is named",
    Kind.MODEL: "weights go after --weights",
    Kind.MODEL_HDF5: "weights go after --weights",
    Kind.STATE: "a solver state goes after --resume; its weights are in the .caffemodel beside it",
    Kind.STATE_HDF5: "a solver state goes after --resume; its weights are in the model beside it",
}


def read_weights(path: StrPath) -> Weights:
    """Read the learned values of a model in any format, told by content.

    Args:
        path: a .caffemodel, .caffemodel.h5, .npz or .safetensors; the names of the last two are
            taken for layers as `stored.layer_of` says.

    Returns:
        Layer name to its blobs, float32, in the order of the file (HDF5: by name). A blob that
        an HDF5 file leaves out because its layer shares it is None; binary files have them all.

    Raises:
        NetdefError: where the file cannot be read, is damaged or of another kind.
    """
    kind = _kind(path, "weights are", {*_ARCHIVES, Kind.MODEL, Kind.MODEL_HDF5, Kind.HDF5})
    try:
        if kind in _ARCHIVES:
            return _from_archive(_ARCHIVES[kind](path))
        return caffemodel.read(path) if kind is Kind.MODEL else hdf5.read_weights(path)
    except OSError as error:
        raise NetdefError(unreadable(path, error)) from error


def scan_weights(path: StrPath) -> list[Stored]:
    """The blobs of a model in any format, without their values; as `read_weights`."""
    kind = _kind(path, "weights are", {*_ARCHIVES, Kind.MODEL, Kind.MODEL_HDF5, Kind.HDF5})
    try:
        if kind in _ARCHIVES:
            return _ARCHIVES[kind](path)
        return caffemodel.scan(path) if kind is Kind.MODEL else hdf5.scan(path)
    except OSError as error:
        raise NetdefError(unreadable(path, error)) from error


def _from_archive(arrays: list[Stored]) -> Weights:
    weights: Weights = {}
    for stored in arrays:
        blobs = weights.setdefault(stored.layer, [])
        blobs.extend([None] * (stored.index + 1 - len(blobs)))
        blobs[stored.index] = np.asarray(stored.read(), np.float32)
    return weights


def write_weights(
    path: StrPath,
    weights: Weights,
    *,
    diffs: Weights | None = None,
    net: NetParameter | None = None,
) -> None:
    """Write a model in the format that its name ends with.

    .npz, .safetensors, or what Caffe reads: HDF5 for .h5, and binary for all others. Which blobs
    are in `weights` is the caller's part: a binary model holds every blob of every layer, the
    others only those of the layers that own them, with None in place of those that are shared.

    Args:
        path: the file; replaced whole, or not at all where anything fails.
        weights: layer name to its blobs.
        diffs: gradients to save beside them; Caffe's formats have a place for them.
        net: the net, whose settings a binary model repeats; see `caffemodel.write`.

    Raises:
        NetdefError: where the file cannot be written.
    """
    name = os.fspath(path)
    if name.endswith(".npz"):
        npz.write(path, weights)
    elif name.endswith(".safetensors"):
        safetensors.write(path, weights)
    elif is_hdf5_name(path):
        hdf5.write_weights(path, weights, diffs=diffs)
    else:
        caffemodel.write(path, weights, diffs=diffs, net=net)


def read_state(path: StrPath) -> SolverStateData:
    """Read a solver state, binary or HDF5, told by content.

    Raises:
        NetdefError: where the file cannot be read, is damaged or of another kind.
    """
    kind = _kind(path, "a solver state is", {Kind.STATE, Kind.STATE_HDF5, Kind.HDF5})
    try:
        return solverstate.read(path) if kind is Kind.STATE else hdf5.read_state(path)
    except OSError as error:
        raise NetdefError(unreadable(path, error)) from error


def scan_state(path: StrPath) -> tuple[SolverStateData, list[Stored]]:
    """A solver state without its history, whose arrays come beside it; as `read_state`."""
    kind = _kind(path, "a solver state is", {Kind.STATE, Kind.STATE_HDF5, Kind.HDF5})
    try:
        return solverstate.scan(path) if kind is Kind.STATE else hdf5.scan_state(path)
    except OSError as error:
        raise NetdefError(unreadable(path, error)) from error


def write_state(path: StrPath, state: SolverStateData) -> None:
    """Write a solver state that Caffe reads: HDF5 where the name ends with .h5, else binary.

    Raises:
        NetdefError: where the file cannot be written; an old file stays.
    """
    write = hdf5.write_state if is_hdf5_name(path) else solverstate.write
    write(path, state)


def is_hdf5_name(path: StrPath) -> bool:
    """Whether a file of this name is written as HDF5."""
    return os.fspath(path).endswith((".h5", ".hdf5"))


def _kind(path: StrPath, wanted: str, kinds: set[Kind]) -> Kind:
    try:
        kind = sniff(path)
        if os.path.isdir(path):
            raise IsADirectoryError
    except (OSError, ValueError) as error:
        raise NetdefError(unreadable(path, error)) from error
    if kind in kinds:
        return kind
    name = os.fspath(path)
    if kind is Kind.EMPTY:
        raise NetdefError(DamagedFile(f"`{name}` is empty", help="fetch or copy the file again"))
    raise NetdefError(
        WrongKind(f"`{name}` is {kind.value}, where {wanted} needed", help=_WHERE.get(kind, ""))
    )
