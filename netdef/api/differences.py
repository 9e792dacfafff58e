"""What changed between two files: weights, solver states, nets, solvers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from netdef.api.problems import NotComparable
from netdef.diag import NetdefError, Report
from netdef.schema.access import unreadable
from netdef.schema.sniff import Kind, sniff
from netdef.schema.weights import Stored, scan_state, scan_weights

if TYPE_CHECKING:
    from netdef.api.loading import StrPath

Shape = tuple[int, ...]

_MODELS = {Kind.MODEL, Kind.MODEL_HDF5, Kind.NPZ, Kind.SAFETENSORS}
_STATES = {Kind.STATE, Kind.STATE_HDF5}
_CHUNK = 1 << 20  # values compared together


@dataclass(frozen=True, slots=True)
class Change:
    """One array or setting of two files.

    Attributes:
        name: of the array, or path of the setting.
        what: "same", "changed", "added" (in the second only), "removed" or "shape".
        before: shape of the array, or value of the setting, in the first file; "" where it has
            none.
        after: in the second.
        largest: greatest difference of two values; None where none can be told.
        mean: mean size of the differences.
        relative: L2 norm of the differences over that of the first array.
        cosine: of the angle between the arrays; 1 for one direction.
    """

    name: str
    what: str
    before: str = ""
    after: str = ""
    largest: float | None = None
    mean: float | None = None
    relative: float | None = None
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """All of two files.

    Attributes:
        first: path of the first.
        second: path of the second.
        kind: what is compared: "weights", "solver states", "nets" or "solvers".
        changes: of all arrays; of settings only those that differ.
    """

    first: str
    second: str
    kind: str
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return all(change.what == "same" for change in self.changes)


def diff(first: StrPath, second: StrPath) -> Difference:
    """Compare two models in whatever formats, two solver states, two nets or two solvers.

    Args:
        first: a file.
        second: another of a like kind; kinds are told by content.

    Raises:
        NetdefError: a file cannot be read, or they are of kinds that have nothing in common.
    """
    kinds = (_kind(first), _kind(second))
    names = (os.fspath(first), os.fspath(second))
    if kinds[0] in _MODELS and kinds[1] in _MODELS:
        return Difference(*names, "weights", tuple(_arrays(_blobs(first), _blobs(second))))
    if kinds[0] in _STATES and kinds[1] in _STATES:
        return Difference(*names, "solver states", tuple(_states(first, second)))
    if kinds == (Kind.NET_TEXT, Kind.NET_TEXT):
        return Difference(*names, "nets", tuple(_settings(first, second, of_net=True)))
    if kinds == (Kind.SOLVER_TEXT, Kind.SOLVER_TEXT):
        return Difference(*names, "solvers", tuple(_settings(first, second, of_net=False)))
    raise NetdefError(
        NotComparable(
            f"`{names[0]}` is {kinds[0].value}, `{names[1]}` is {kinds[1].value}",
            help="give two models, two solver states, two nets or two solvers",
        )
    )


def _kind(path: StrPath) -> Kind:
    try:
        return sniff(path)
    except (OSError, ValueError) as error:
        raise NetdefError(unreadable(path, error)) from error


def _blobs(path: StrPath) -> dict[str, Stored]:
    return {f"{stored.layer}[{stored.index}]": stored for stored in scan_weights(path)}


def _states(first: StrPath, second: StrPath) -> Iterator[Change]:
    (a, ours), (b, its) = scan_state(first), scan_state(second)
    for field in ("iteration", "current_step"):
        before, after = str(getattr(a, field)), str(getattr(b, field))
        if before != after:
            yield Change(field, "changed", before, after)
    yield from _arrays({s.name: s for s in ours}, {s.name: s for s in its})


def _arrays(first: dict[str, Stored], second: dict[str, Stored]) -> Iterator[Change]:
    for name, before in first.items():
        after = second.get(name)
        if after is None:
            yield Change(name, "removed", _shape(before.shape))
        elif before.shape != after.shape:
            yield Change(name, "shape", _shape(before.shape), _shape(after.shape))
        else:
            yield _compare(name, before, after)
    for name, after in second.items():
        if name not in first:
            yield Change(name, "added", "", _shape(after.shape))


def _compare(name: str, before: Stored, after: Stored) -> Change:
    a, b = (stored.read().reshape(-1) for stored in (before, after))
    largest = total = squares = norm_a = norm_b = product = 0.0
    equal = True
    for at in range(0, a.size, _CHUNK):
        x, y = (array[at : at + _CHUNK].astype(np.float64) for array in (a, b))
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        equal &= bool(same.all())
        with np.errstate(invalid="ignore"):
            gap = np.where(same, 0.0, np.abs(x - y))
        largest = max(largest, float(gap.max())) if not np.isnan(gap).any() else float("nan")
        total += float(gap.sum())
        squares += float(gap @ gap)
        norm_a, norm_b = norm_a + float(x @ x), norm_b + float(y @ y)
        product += float(x @ y)
    shape = _shape(before.shape)
    if equal:
        return Change(name, "same", shape, shape, 0.0, 0.0, 0.0, 1.0)
    lengths = sqrt(norm_a) * sqrt(norm_b)
    return Change(
        name,
        "changed",
        shape,
        shape,
        largest,
        total / a.size,
        sqrt(squares) / sqrt(norm_a) if norm_a else float("inf"),
        product / lengths if lengths else 0.0,
    )


def _shape(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _settings(first: StrPath, second: StrPath, *, of_net: bool) -> Iterator[Change]:
    from netdef.schema.document import read_net, read_solver

    report = Report()
    read = read_net if of_net else read_solver
    documents = [read(path, report) for path in (first, second)]
    report.raise_if_errors()
    before, after = (
        dict(_flat(document.message)) if document is not None else {} for document in documents
    )
    for path in dict.fromkeys([*before, *after]):
        old, new = before.get(path, ""), after.get(path, "")
        if old != new:
            what = "changed" if old and new else "removed" if old else "added"
            yield Change(path, what, old, new)


def _flat(message: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of each field that is set; layers go by their names."""
    seen: dict[str, int] = {}
    for field, value in message.ListFields():
        name = f"{path}{field.name}"
        whole = field.message_type is None
        many = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else None
        if many is None:
            yield from [(name, _text(field, value))] if whole else _flat(value, f"{name}.")
        elif whole:
            yield name, ", ".join(_text(field, one) for one in many)
        else:
            for index, one in enumerate(many):
                key = getattr(one, "name", "") or str(index)
                seen[key] = seen.get(key, 0) + 1
                more = f" #{seen[key]}" if seen[key] > 1 else ""
                yield from _flat(one, f"{name}[{key}{more}].")


def _text(field: Any, value: Any) -> str:
    if field.enum_type is not None:
        found = field.enum_type.values_by_number.get(value)
        return found.name if found is not None else str(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, float) else str(value)
