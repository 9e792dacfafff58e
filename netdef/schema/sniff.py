"""What kind of file a file is, told by its content rather than its name."""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path

_HEAD = 1 << 16


class Kind(Enum):
    """Kinds of files; the value is how a sentence names one."""

    NET_TEXT = "the text of a net"
    SOLVER_TEXT = "the text of a solver"
    MODEL = "a binary model with weights"
    STATE = "a binary solver state"
    BLOB = "a binary blob, such as a mean image"
    MODEL_HDF5 = "an HDF5 file with weights"
    STATE_HDF5 = "an HDF5 file with a solver state"
    HDF5 = "an HDF5 file without weights"
    NPZ = "a NumPy archive"
    SAFETENSORS = "a safetensors file"
    LMDB = "an LMDB database"
    LEVELDB = "a LevelDB database"
    EMPTY = "an empty file"
    TEXT = "a text of some other kind"
    UNKNOWN = "a file of an unknown kind"


def sniff(path: str | os.PathLike[str]) -> Kind:
    """Tell a file's kind, or a database folder's.

    Reads little more than the head of the file and never fails on what is in it; a file that
    breaks off is still of the kind that its beginning shows.

    Raises:
        OSError: where the file cannot be read.
    """
    path = Path(path)
    if os.path.isdir(path):
        names = {entry.name for entry in path.iterdir()}
        if "data.mdb" in names:
            return Kind.LMDB
        return Kind.LEVELDB if "CURRENT" in names else Kind.UNKNOWN
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return Kind.EMPTY
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return _hdf5(path)
    if head.startswith(b"PK\x03\x04"):
        return Kind.NPZ if b".npy" in head else Kind.UNKNOWN
    if head[16:20] in (b"\xde\xc0\xef\xbe", b"\xbe\xef\xc0\xde"):
        return Kind.LMDB
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= path.stat().st_size:
        return Kind.SAFETENSORS
    if not re.search(rb"[\x00-\x08\x0e-\x1f]", head):
        return kind_of_text(head.decode("utf-8", "replace"))
    return _binary(path)


def kind_of_text(text: str) -> Kind:
    """Whether a text is a net's or a solver's, by the names of its outermost fields."""
    from netdef.schema.netdef_pb2 import NetParameter, SolverParameter

    if text.lstrip().startswith("<"):  # a web page, saved in place of the file
        return Kind.TEXT
    # Strings and comments go first: they may hold braces.
    bare = re.sub(r"#.*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", "''", text)
    names: set[str] = set()
    depth = 0
    for word in re.finditer(r"[{<]|[}>]|\b([A-Za-z_]\w*)\s*(?=[:{<])", bare):
        if word[1]:
            if depth == 0:
                names.add(word[1])
        else:
            depth = depth + 1 if word[0] in "{<" else max(0, depth - 1)
    net = names.intersection(NetParameter.DESCRIPTOR.fields_by_name)
    solver = names.intersection(SolverParameter.DESCRIPTOR.fields_by_name)
    if len(net) == len(solver):
        return Kind.TEXT if not net else Kind.NET_TEXT
    return Kind.NET_TEXT if len(net) > len(solver) else Kind.SOLVER_TEXT


def _hdf5(path: Path) -> Kind:
    try:
        import h5py
    except ImportError:
        return Kind.HDF5
    try:
        with h5py.File(path, "r") as file:
            if "history" in file or "learned_net" in file:
                return Kind.STATE_HDF5
            data = file.get("data")
            return Kind.MODEL_HDF5 if isinstance(data, h5py.Group) else Kind.HDF5
    except (OSError, RuntimeError, KeyError, ValueError):
        return Kind.HDF5


# Field numbers and wire types that the outermost message of each kind has.
_VARINT, _BYTES = 0, 2
_MESSAGES = {
    Kind.MODEL: {
        **dict.fromkeys((1, 2, 3, 6, 8, 100), _BYTES),
        **dict.fromkeys((5, 7), _VARINT),
    },
    Kind.STATE: {1: _VARINT, 2: _BYTES, 3: _BYTES, 4: _VARINT},
    Kind.BLOB: {
        **dict.fromkeys((1, 2, 3, 4), _VARINT),
        **dict.fromkeys((5, 6, 7, 8, 9), _BYTES),
    },
}
# One of these must be there: a lone string or number could be anything.
_TELLING = {Kind.MODEL: {2, 100, 3}, Kind.STATE: {1}, Kind.BLOB: {5, 8}}
_MOST_FIELDS = 10_000


def _binary(path: Path) -> Kind:
    from netdef.schema.weights.wire import Damaged, Reader

    seen: list[tuple[int, int]] = []
    with path.open("rb") as file:
        reader = Reader(file)
        try:
            for field in reader.fields(0, reader.size):
                seen.append((field.number, field.wire))
                if len(seen) == _MOST_FIELDS:
                    break
        except Damaged as cut:
            if cut.field is not None:
                seen.append(cut.field)
    found = set(seen)
    for kind, fields in _MESSAGES.items():
        known = all(fields.get(number, wire) == wire for number, wire in found)
        # Numbers of forks and of later versions are let pass if the rest fits.
        if known and any(n in fields for n, _ in seen[:1]) and found & _telling(kind):
            return kind
    return Kind.UNKNOWN


def _telling(kind: Kind) -> set[tuple[int, int]]:
    return {(number, _MESSAGES[kind][number]) for number in _TELLING[kind]}
