"""Weights and solver states from one format into another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netdef.api.problems import SharedLeftOut, UnknownFormat
from netdef.diag import NetdefError, Report
from netdef.schema.access import unreadable
from netdef.schema.sniff import Kind, sniff
from netdef.schema.weights import Weights, read_state, read_weights, write_state, write_weights

if TYPE_CHECKING:
    from netdef.api.loading import StrPath

_MODELS = (".caffemodel", ".caffemodel.h5", ".h5", ".hdf5", ".npz", ".safetensors")
_STATES = (".solverstate", ".solverstate.h5", ".h5", ".hdf5")


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written.

    Attributes:
        path: of the new file.
        kind: "weights" or "solver state".
        arrays: how many.
        bytes: of the new file.
    """

    path: str
    kind: str
    arrays: int
    bytes: int


def convert(source: StrPath, target: StrPath, *, net: StrPath | None = None) -> Converted:
    """Write a model or a solver state in the format that the new name ends with.

    Args:
        source: a .caffemodel, .h5, .npz, .safetensors or .solverstate; told by content.
        target: the new file; .caffemodel, .caffemodel.h5, .npz or .safetensors for a model,
            .solverstate or .solverstate.h5 for a state.
        net: a prototxt that tells which blobs are shared, for files that leave those out.

    Raises:
        NetdefError: a file cannot be read or written, or a shared blob is missing.
    """
    try:
        kind = sniff(source)
    except (OSError, ValueError) as error:
        raise NetdefError(unreadable(source, error)) from error
    name = os.fspath(target)
    if kind in (Kind.STATE, Kind.STATE_HDF5):
        _check_name(name, _STATES, "a solver state")
        state = read_state(source)
        write_state(target, state)
        return Converted(name, "solver state", len(state.history), os.path.getsize(target))
    weights = read_weights(source)
    _check_name(name, _MODELS, "weights")
    if net is not None:
        weights = _shared(weights, net, whole=name.endswith(".caffemodel"))
    if name.endswith(".caffemodel"):
        _check_whole(weights, os.fspath(source))
    write_weights(target, weights)
    count = sum(array is not None for arrays in weights.values() for array in arrays)
    return Converted(name, "weights", count, os.path.getsize(target))


def _check_name(name: str, endings: tuple[str, ...], what: str) -> None:
    if not name.endswith(endings):
        raise NetdefError(
            UnknownFormat(
                f"`{name}` does not say in which format {what} are to be written"
                if what == "weights"
                else f"`{name}` does not say in which format {what} is to be written",
                help=f"end the name with {', '.join(endings[:-1])} or {endings[-1]}",
            )
        )


def _check_whole(weights: Weights, source: str) -> None:
    for layer, arrays in weights.items():
        absent = [index for index, array in enumerate(arrays) if array is None]
        if absent:
            raise NetdefError(
                SharedLeftOut(
                    f"`{source}` leaves out blob {absent[0]} of layer `{layer}`, which shares it",
                    help="say of which net it is: `--net model.prototxt`",
                )
            )


def _shared(weights: Weights, net: StrPath, *, whole: bool) -> Weights:
    """The weights with shared blobs filled in from their owners, or left out."""
    from netdef.api.loading import compile_file

    report = Report()
    graph = compile_file(net, report)
    report.raise_if_errors()
    assert graph is not None
    found = dict(weights)
    for index, node in enumerate(graph.nodes):
        arrays = list(found.get(node.name, ()))
        for slot, number in enumerate(node.params):
            owner = graph.params[number].owner
            if (owner.node, owner.index) == (index, slot):
                continue
            values = found.get(graph.nodes[owner.node].name, [])
            arrays.extend([None] * (slot + 1 - len(arrays)))
            filled = values[owner.index] if owner.index < len(values) else None
            arrays[slot] = filled if whole else None
        if node.params and (arrays or node.name in found):
            found[node.name] = arrays
    return found
