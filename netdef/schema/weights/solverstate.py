"""Binary solver states: iteration, model file, and the update rule's slots."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from netdef.schema.netdef_pb2 import SolverState
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.caffemodel import damage_told
from netdef.schema.weights.values import Array, blob_parts, read_blob
from netdef.schema.weights.wire import BYTES, VARINT, Reader, header

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP = 1, 2, 3, 4
_EXTRA_NAME, _EXTRA_VALUE = 20000, 20001


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
    """

    iteration: int
    learned_net: str
    history: list[Array]
    current_step: int = 0
    extra: Mapping[str, int] = field(default_factory=dict)


def read(path: str | os.PathLike[str]) -> SolverStateData:
    """Read a .solverstate.

    Raises:
        NetdefError: where the file is damaged.
        OSError: where it cannot be read.
    """
    shown = os.fspath(path)
    iteration, learned_net, current_step = 0, "", 0
    history: list[Array] = []
    names: list[str] = []
    values: list[int] = []
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
                name = f"slot {len(history)} of the history"
                history.append(read_blob(reader, found.start, found.end, name, shown))
            elif found.number == _EXTRA_NAME and found.wire == BYTES:
                names.append(reader.text(found))
            elif found.number == _EXTRA_VALUE and found.wire == BYTES:
                values += reader.integers(found)
    extra = dict(zip(names, values, strict=False))
    return SolverStateData(iteration, learned_net, history, current_step, extra)


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
    )
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(head.SerializeToString())
        for slot in state.history:
            pieces = list(blob_parts(slot))
            file.write(header(_HISTORY, sum(map(len, pieces))))
            file.writelines(pieces)
