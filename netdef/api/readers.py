"""Each kind of file of values, read into what `contents` says of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netdef.api.contents import Entry, Inspection, Shape, Statistics
from netdef.diag import NetdefError
from netdef.schema.sniff import Kind
from netdef.schema.weights import Weights, read_state, read_weights

if TYPE_CHECKING:
    from netdef.api.loading import StrPath


def _found(
    entries: list[Entry], facts: dict[str, str | int] | None = None, notes: tuple[str, ...] = ()
) -> Inspection:
    return Inspection("", "", 0, facts or {}, tuple(entries), notes)


def _statistics(values: Any, wanted: bool) -> Statistics | None:  # noqa: FBT001  passed along
    if not wanted or values.dtype.kind not in "fiub" or not values.size:
        return None
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        nan = float("nan")
        return Statistics(nan, nan, nan, nan, 0, values.size)
    return Statistics(
        float(finite.min()),
        float(finite.max()),
        float(finite.mean()),
        float(finite.std()),
        int(np.count_nonzero(finite == 0)),
        values.size - finite.size,
    )


def _weights(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    entries = []
    shared = 0
    for layer, arrays in read_weights(path).items():
        for index, array in enumerate(arrays):
            if array is None:
                shared += 1
                continue
            entries.append(
                Entry(
                    f"{layer}[{index}]",
                    layer,
                    index,
                    array.shape,
                    str(array.dtype),
                    _statistics(array, stat),
                )
            )
    notes = (f"{shared} shared blobs are left out: they stand with their owners",) if shared else ()
    return _found(entries, {"layers": len({e.layer for e in entries})}, notes)


def _state(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    state = read_state(path)
    facts: dict[str, str | int] = {
        "iteration": state.iteration,
        "learned_net": state.learned_net or "(not recorded)",
        "current_step": state.current_step,
    }
    facts |= getattr(state, "extra", {})
    shapes = [array.shape for array in state.history]
    slots, words = _slots(shapes)
    params = len(shapes) // slots if slots else 0
    names = _param_names(Path(path), state.learned_net, shapes[:params])
    entries = []
    for number, array in enumerate(state.history):
        slot, param = divmod(number, params)
        own = f"history[{number}]"
        note = f"{own}, slot {slot + 1} of {slots}" if slots > 1 else own
        entries.append(
            Entry(
                names[param] if names else own,
                names[param].rpartition("[")[0] if names else "",
                number,
                array.shape,
                str(array.dtype),
                _statistics(array, stat),
                note if names or slots > 1 else "",
            )
        )
    return _found(entries, facts, (words,) if words else ())


def _slots(shapes: list[Shape]) -> tuple[int, str]:
    """How many arrays a param has in the history, and what they are."""
    if not shapes:
        return 0, "no history: nothing has been learned yet, or nothing learns"
    half, odd = divmod(len(shapes), 2)
    if not odd and shapes[:half] == shapes[half:]:
        return 2, (
            f"{half} params with two slots each: Adam keeps the mean of the gradients, then the "
            "mean of their squares; AdaDelta the squares of the gradients, then of the updates "
            f"(or {2 * half} params with one slot, where two halves of the net are alike)"
        )
    return 1, (
        f"{len(shapes)} params with one slot each: SGD and Nesterov keep the last update "
        "(momentum), AdaGrad and RMSProp sums of squared gradients"
    )


def _param_names(state: Path, learned_net: str, shapes: list[Shape]) -> list[str]:
    """Names of the params, from the model beside the state, where the shapes agree in order."""
    own = state.name.replace(".solverstate", ".caffemodel")
    places = [Path(learned_net)] if learned_net else []
    places += [state.with_name(n) for n in (Path(learned_net).name, own) if n]
    model = next((p for p in places if p.is_file() and p != state), None)
    if model is None:
        return []
    try:
        weights = read_weights(model)
    except NetdefError:  # the state can be looked at without
        return []
    return _matched(weights, shapes)


def _matched(weights: Weights, shapes: list[Shape]) -> list[str]:
    """Names of a model's blobs where these are the shapes; shared ones count once."""
    blobs = [
        (f"{layer}[{index}]", array)
        for layer, arrays in weights.items()
        for index, array in enumerate(arrays)
        if array is not None
    ]
    # a binary model repeats a shared blob with each layer that has it, the history does not
    single: list[tuple[str, Any]] = []
    for name, array in blobs:
        if not any(np.array_equal(array, other, equal_nan=True) for _, other in single):
            single.append((name, array))
    for found in (blobs, single):
        if [array.shape for _, array in found] == shapes:
            return [name for name, _ in found]
    return []


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
    return _found(
        [Entry("data", "", 0, mean.shape, str(mean.dtype), _statistics(mean, stat))], {}, notes
    )


def _hdf5(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    try:
        import h5py
    except ImportError:
        from netdef.data.errors import missing_package

        error = missing_package("h5py", "an HDF5 file")
        raise NetdefError(error.problem()) from None
    entries: list[Entry] = []

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            values = item[()] if stat else None
            entries.append(
                Entry(
                    name,
                    "",
                    len(entries),
                    item.shape or (),
                    str(item.dtype),
                    None if values is None else _statistics(np.asarray(values), stat),
                )
            )

    with h5py.File(path, "r") as file:
        file.visititems(take)
    return _found(entries)


def _npz(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    from zipfile import BadZipFile

    entries = []
    try:
        # np.load leaves a file it was given by name open where the archive is damaged
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            for index, name in enumerate(archive.files):
                array = archive[name]
                entries.append(
                    Entry(name, "", index, array.shape, str(array.dtype), _statistics(array, stat))
                )
    except BadZipFile as error:
        raise ValueError(str(error)) from error
    return _found(entries)


_SAFE_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


def _safetensors(path: StrPath, stat: bool) -> Inspection:  # noqa: FBT001  one of READERS
    import json

    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        if not isinstance(header, dict):
            raise ValueError("its header is no table")
        entries = []
        facts: dict[str, str | int] = dict(header.pop("__metadata__", {}))
        for index, (name, about) in enumerate(header.items()):
            entry = Entry(name, "", index, tuple(about["shape"]), str(about["dtype"]))
            begin, end = about["data_offsets"]
            if 8 + length + end > size:
                raise ValueError(f"`{name}` ends at byte {8 + length + end}, the file at {size}")
            if stat and about["dtype"] in _SAFE_TYPES:
                file.seek(8 + length + begin)
                values = np.frombuffer(file.read(end - begin), _SAFE_TYPES[about["dtype"]])
                entry = replace(entry, statistics=_statistics(values, stat))
            entries.append(entry)
    return _found(entries, facts)


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
    Kind.STATE: _state,
    Kind.STATE_HDF5: _state,
    Kind.BLOB: _blob,
    Kind.HDF5: _hdf5,
    Kind.NPZ: _npz,
    Kind.SAFETENSORS: _safetensors,
    Kind.LMDB: _lmdb,
}
