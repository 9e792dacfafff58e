"""What files of values hold."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from netdef.api.problems import NotInspectable
from netdef.diag import NetdefError
from netdef.schema.access import unreadable
from netdef.schema.problems import DamagedFile
from netdef.schema.sniff import Kind, sniff

if TYPE_CHECKING:
    from netdef.api.loading import StrPath
    from netdef.graph import Net

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of an array's values; those that are not finite are counted and left out of the rest.

    Attributes:
        min: the least.
        max: the greatest.
        mean: of all.
        std: how far they are spread around the mean.
        zeros: how many are 0.
        non_finite: how many are NaN or infinite.
        histogram: how many are in each of equal ranges from min to max.
    """

    min: float
    max: float
    mean: float
    std: float
    zeros: int
    non_finite: int
    histogram: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An array in a file.

    Attributes:
        name: `conv1[0]`, or the name that the file has for it. In a solver state the param that
            it is a slot of, where the model beside the state tells.
        layer: it belongs to; "" where the file knows no layers.
        index: which of the layer's blobs, or which slot of the history.
        shape: of the array.
        dtype: of its values in the file.
        statistics: where they were asked for.
        note: what it is, in a few words.
        role: of the blob, or of the param that it is a slot of: weight, bias, running mean.
        slot: its letter in the update rule's formula, in a solver state.
        bytes: that its values take in the file.
    """

    name: str
    layer: str
    index: int
    shape: Shape
    dtype: str
    statistics: Statistics | None = None
    note: str = ""
    role: str = ""
    slot: str = ""
    bytes: int = 0

    @property
    def count(self) -> int:
        """How many values it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds.

    Attributes:
        path: as given.
        kind: of the file, as a sentence names it.
        bytes: its size on disk.
        facts: what else it says: iteration, model, version.
        entries: its arrays, in its order.
        notes: what they mean together.
        scalars: numbers of the update rule that are in no file, for the iteration tells them:
            name, value, meaning.
    """

    path: str
    kind: str
    bytes: int
    facts: dict[str, str | int]
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    scalars: tuple[tuple[str, float, str], ...] = ()

    @property
    def count(self) -> int:
        """Values in all arrays."""
        return sum(entry.count for entry in self.entries)


def inspect(
    path: StrPath,
    *,
    stat: bool = False,
    net: StrPath | None = None,
    solver: StrPath | None = None,
) -> Inspection:
    """Look into a .caffemodel, .solverstate, HDF5, .npz or .safetensors file, an LMDB or a mean.

    Args:
        path: of the file; its kind is told by content.
        stat: also look at the values.
        net: a prototxt that tells the params' names and roles in a solver state.
        solver: a prototxt that tells the slots' names in a state that does not, as Caffe's.

    Raises:
        NetdefError: a file cannot be read, is damaged, or holds no values.
    """
    name = os.fspath(path)
    try:
        kind = sniff(path)
        size = _size(Path(path))
    except (OSError, ValueError) as error:
        raise NetdefError(unreadable(path, error)) from error
    from netdef.api.histories import read_state_file
    from netdef.api.readers import READERS

    reader = READERS.get(kind)
    state = kind in (Kind.STATE, Kind.STATE_HDF5)
    if reader is None and not state:
        raise NetdefError(_not_inspectable(name, kind))
    try:
        found = reader(path, stat) if reader else read_state_file(path, stat, net, solver)
    except (OSError, ValueError, KeyError, EOFError, RuntimeError) as error:
        words = str(error).partition("\n")[0].lower().rstrip(".")
        raise NetdefError(
            DamagedFile(f"`{name}` is damaged: {words}", help="fetch or copy the file again")
        ) from error
    return replace(found, path=name, kind=kind.value, bytes=size)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(one.stat().st_size for one in path.iterdir() if one.is_file())
    return path.stat().st_size


def _not_inspectable(name: str, kind: Kind) -> NotInspectable | DamagedFile:
    if kind is Kind.EMPTY:
        return DamagedFile(f"`{name}` is empty", help="fetch or copy the file again")
    text = kind in (Kind.NET_TEXT, Kind.SOLVER_TEXT)
    example = f"netdef check {name}" if kind is Kind.SOLVER_TEXT else f"netdef summary {name}"
    return NotInspectable(
        f"`{name}` is {kind.value}, and holds no values",
        help=f"`{example}` shows what is in it" if text else "",
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model's arrays fit a net, layer by layer.

    Attributes:
        misfits: a sentence for each layer of the net that is not in the file, or is another.
        unused: layers of the file that the net does not have.
        fitting: layers of the net that have their weights in the file.
        wanted: layers of the net that have weights.
        what: is counted; in solver states it is params.
    """

    misfits: tuple[str, ...]
    unused: tuple[str, ...]
    fitting: int
    wanted: int
    what: str = "layers with weights"


def check_against(found: Inspection, path: StrPath) -> Fit:
    """Compare a model's arrays with what a net has.

    Args:
        found: of a .caffemodel or .caffemodel.h5.
        path: the net's prototxt.

    Raises:
        NetdefError: the net cannot be read.
    """
    from netdef.api.loading import compile_file
    from netdef.diag import Report, nearest
    from netdef.run.copy_weights import same_shape

    report = Report()
    graph = compile_file(path, report)
    if graph is None:
        raise NetdefError(report)
    if any(entry.slot for entry in found.entries):
        return _state_fit(found, graph)
    wanted = {
        node.name: [learned.shape for learned in node.learned]
        for node in graph.nodes
        if node.params
    }
    have: dict[str, list[Shape]] = {}
    for entry in found.entries:
        have.setdefault(entry.layer, []).append(entry.shape)
    misfits = []
    for layer, shapes in wanted.items():
        its = have.get(layer)
        if its is None:
            near = nearest(layer, [name for name in have if name not in wanted], 1)
            also = f"; the file has `{near[0]}`" if near else ""
            misfits.append(f"`{layer}` of the net is not in the file{also}")
        elif len(its) != len(shapes) or not all(map(same_shape, its, shapes)):
            misfits.append(f"`{layer}` is {_shapes(its)} in the file, {_shapes(shapes)} in the net")
    unused = tuple(layer for layer in have if layer not in wanted)
    return Fit(tuple(misfits), unused, len(wanted) - len(misfits), len(wanted))


def _state_fit(found: Inspection, graph: Net) -> Fit:
    """As `check_against`, for a solver state: its params are those of the net, in order."""
    first = found.entries[0].slot
    have = [entry.shape for entry in found.entries if entry.slot == first]
    misfits = []
    for index, param in enumerate(graph.params):
        name = f"{graph.nodes[param.owner.node].name}[{param.owner.index}]"
        if index >= len(have):
            misfits.append(f"`{name}` of the net has no history in the file")
        elif have[index] != param.shape:
            pair = f"{_shapes([have[index]])} in the file, {_shapes([param.shape])} in the net"
            misfits.append(f"`{name}` is {pair}")
    unused: tuple[str, ...] = ()
    extra = have[len(graph.params) :]
    if extra:
        unused = (f"{len(extra)} params",)
    fitting = len(graph.params) - len(misfits)
    return Fit(tuple(misfits), unused, fitting, len(graph.params), "params")


def _shapes(shapes: list[Shape]) -> str:
    return ", ".join("×".join(map(str, shape)) or "scalar" for shape in shapes)
