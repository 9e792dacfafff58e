"""Each kind of file of values, read into what `contents` says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netdef.api.contents import Entry, Inspection, Shape, Statistics
from netdef.api.roles import roles
from netdef.diag import NetdefError
from netdef.schema.sniff import Kind
from netdef.schema.weights import Stored, scan_weights

if TYPE_CHECKING:
    from netdef.api.loading import StrPath

_BINS = 16
_CHUNK = 1 << 20  # values looked at together, so that no second copy of an array is made


def _found(
    entries: list[Entry], facts: dict[str, str | int] | None = None, notes: tuple[str, ...] = ()
) -> Inspection:
    return Inspection("", "", 0, facts or {}, tuple(entries), notes)


def statistics(values: Any) -> Statistics | None:
    """Of an array; None where it has no numbers."""
    if values.dtype.kind not in "fiub" or not values.size:
        return None
    flat = values.reshape(-1)
    chunks = [flat[at : at + _CHUNK] for at in range(0, flat.size, _CHUNK)]
    least, most, total, zeros, count = np.inf, -np.inf, 0.0, 0, 0
    for finite in map(_finite, chunks):
        if finite.size:
            least, most = min(least, finite.min()), max(most, finite.max())
            total += float(finite.sum())
            zeros += int(np.count_nonzero(finite == 0))
            count += finite.size
    if not count:
        nan = float("nan")
        return Statistics(nan, nan, nan, nan, 0, flat.size)
    mean, squares = total / count, 0.0
    bins = np.zeros(_BINS, np.int64)
    for finite in map(_finite, chunks):
        squares += float(np.square(finite - mean).sum())
        if most > least and np.isfinite(most - least):
            bins += np.histogram(finite, _BINS, (least, most))[0]
    std = (squares / count) ** 0.5
    shown = tuple(int(n) for n in bins) if bins.any() else ()
    return Statistics(float(least), float(most), mean, std, zeros, int(flat.size - count), shown)


def _finite(chunk: Any) -> Any:
    with np.errstate(invalid="ignore"):  # a signalling NaN is one more value that is not finite
        wide = chunk.astype(np.float64)
    return wide[np.isfinite(wide)]


def entry_of(stored: Stored, stat: bool, **more: Any) -> Entry:  # noqa: FBT001  passed along
    """What there is to say of an array; `more` are fields that the file does not tell."""
    try:
        size = np.dtype(stored.dtype).itemsize
    except TypeError:
        size = 0  # a type that NumPy lacks
    return Entry(
        more.pop("name", stored.name),
        more.pop("layer", stored.layer),
        stored.index,
        stored.shape,
        stored.dtype,
        statistics(stored.read()) if stat else None,
        bytes=size * stored.count,
        **more,
    )


def _weights(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    entries = []
    shared = 0
    layers = 0
    for _, group in groupby(scan_weights(path), key=lambda stored: stored.layer):
        blobs = list(group)
        layers += 1
        shared += max(stored.index for stored in blobs) + 1 - len(blobs)
        words = roles(blobs[0].type, [stored.shape for stored in blobs])
        entries += [
            entry_of(stored, stat, name=f"{stored.layer}[{stored.index}]", role=role)
            for stored, role in zip(blobs, words, strict=True)
        ]
    notes = (f"{shared} shared blobs are left out: they stand with their owners",) if shared else ()
    return _found(entries, {"layers": layers}, notes)


def _archive(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    from netdef.schema.weights.npz import scan

    return _found(_named(scan(path), stat))


def _safetensors(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    from netdef.schema.weights.safetensors import scan

    found, facts = scan(path)
    return _found(_named(found, stat), dict(facts))


def _hdf5(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    from netdef.schema.weights.hdf5 import scan_all

    return _found([entry_of(stored, stat) for stored in scan_all(path)])


def _named(found: Sequence[Stored], stat: bool) -> list[Entry]:  # noqa: FBT001  passed along
    """Entries of an archive, under its own names, with roles where its layers tell."""
    shapes: dict[str, dict[int, Shape]] = {}
    for stored in found:
        shapes.setdefault(stored.layer, {})[stored.index] = stored.shape
    words = {
        layer: dict(zip(sorted(own), roles("", [own[i] for i in sorted(own)]), strict=True))
        for layer, own in shapes.items()
    }
    return [entry_of(stored, stat, role=words[stored.layer][stored.index]) for stored in found]


def _blob(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    from netdef.data.errors import DataError
    from netdef.data.mean import read_mean

    try:
        mean = read_mean(Path(path))
    except DataError as error:
        raise NetdefError(error.problem()) from error
    notes: tuple[str, ...] = ()
    if mean.shape[0] <= 4 and mean.size:
        values = ", ".join(f"{v:.6g}" for v in mean.mean(axis=(1, 2)))
        notes = (f"mean of each channel: {values}",)
    entry = Entry("data", "", 0, mean.shape, str(mean.dtype), statistics(mean) if stat else None)
    return _found([entry], {}, notes)


def _lmdb(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    from netdef.data.datum import datum_to_array, parse_datum
    from netdef.data.errors import DataError
    from netdef.data.lmdb_store import LmdbStore, key_text

    del stat  # the values of a database are not looked at: it may be of any size
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    try:
        store = LmdbStore(folder)
        try:
            key, value = store.record(0)
            datum = parse_datum(value)
            array = datum_to_array(datum)
            facts: dict[str, str | int] = {
                "records": len(store),
                "first key": key_text(key),
                "first label": datum.label,
            }
        finally:
            store.close()
    except DataError as error:
        raise NetdefError(error.problem()) from error
    entry = Entry("first record", "", 0, array.shape, str(array.dtype))
    return _found([entry], facts)


READERS: dict[Kind, Callable[[Any, bool], Inspection]] = {
    Kind.MODEL: _weights,
    Kind.MODEL_HDF5: _weights,
    Kind.BLOB: _blob,
    Kind.HDF5: _hdf5,
    Kind.NPZ: _archive,
    Kind.SAFETENSORS: _safetensors,
    Kind.LMDB: _lmdb,
}
