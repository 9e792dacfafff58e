"""Binary solver states: iteration, model file, and the update rule's slots."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from google.protobuf.message import DecodeError

from netdef.schema.netdef_pb2 import SolverParameter, SolverState
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.caffemodel import damage_told, read_at
from netdef.schema.weights.stored import Stored
from netdef.schema.weights.values import Array, blob_parts, describe_blob
from netdef.schema.weights.wire import BYTES, VARINT, Field, Reader, header

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP = 1, 2, 3, 4
_EXTRA_NAME, _EXTRA_VALUE, _SOLVER = 20000, 20001, 20002


@dataclass(frozen=True, slots=True)
class SolverStateData:
    """Where a training stood.

    Attributes:
        iteration: updates done.
        learned_net: file of the model saved with it, as the writer saw it; may be "".
        history: slots of the update rule in the order of the learnable params; AdaDelta and
            Adam append a second round.
        current_step: steps that `multistep` has made.
        extra: numbers of netdef's own by name; empty where Caffe wrote the file.
        solver: settings of the solver that wrote it, without nets; None where Caffe did.
    """

    iteration: int
    learned_net: str
    history: list[Array]
    current_step: int = 0
    extra: Mapping[str, int] = field(default_factory=dict)
    solver: SolverParameter | None = None


def read(path: str | os.PathLike[str]) -> SolverStateData:
    """Read a .solverstate.

    Raises:
        NetdefError: where the file is damaged.
        OSError: where it cannot be read.
    """
    state, history = scan(path)
    return replace(state, history=[stored.read() for stored in history])


def scan(path: str | os.PathLike[str]) -> tuple[SolverStateData, list[Stored]]:
    """A .solverstate without its history, whose arrays come beside it, not read yet.

    Raises:
        NetdefError: where the file is damaged.
        OSError: where it cannot be read.
    """
    iteration, learned_net, current_step = 0, "", 0
    history: list[Stored] = []
    names: list[str] = []
    values: list[int] = []
    solver = None
    with open(path, "rb") as file, damage_told(path):
        reader = Reader(file)
        for found in reader.fields(0, reader.size):
            if found.number == _ITER and found.wire == VARINT:
                iteration = found.value
            elif found.number == _LEARNED_NET and found.wire == BYTES:
                learned_net = reader.text(found)
            elif found.number == _CURRENT_STEP and found.wire == VARINT:
                current_step = found.value
            elif found.number == _HISTORY and found.wire == BYTES:
                history.append(_slot(reader, path, len(history), found))
            elif found.number == _EXTRA_NAME and found.wire == BYTES:
                names.append(reader.text(found))
            elif found.number == _EXTRA_VALUE and found.wire == BYTES:
                values += reader.integers(found)
            elif found.number == _SOLVER and found.wire == BYTES:
                solver = settings(reader.read(found.start, found.end))
    extra = dict(zip(names, values, strict=False))
    return SolverStateData(iteration, learned_net, [], current_step, extra, solver), history


def _slot(reader: Reader, path: str | os.PathLike[str], index: int, at: Field) -> Stored:
    words = f"slot {index} of the history"
    shape, dtype = describe_blob(reader, at.start, at.end, words, os.fspath(path))
    get = partial(read_at, path, at.start, at.end, words)
    return Stored(f"history[{index}]", "", "", index, shape, dtype, get)


def settings(data: bytes) -> SolverParameter | None:
    """A solver's settings from their bytes; None where they are none."""
    try:
        return SolverParameter.FromString(data)
    except DecodeError:  # a state can do without
        return None


def write(path: str | os.PathLike[str], state: SolverStateData) -> None:
    """Write a .solverstate that Caffe reads.

    Raises:
        NetdefError: where the file cannot be written.
    """
    head = SolverState(
        iter=state.iteration,
        learned_net=state.learned_net,
        current_step=state.current_step,
        extra_name=state.extra.keys(),
        extra_value=state.extra.values(),
        solver=state.solver,
    )
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(head.SerializeToString())
        for slot in state.history:
            pieces = list(blob_parts(slot))
            file.write(header(_HISTORY, sum(map(len, pieces))))
            file.writelines(pieces)
