"""Binary solver states: iteration, model file, and the update rule's slots."""

from __future__ import annotations

import os
from dataclasses import dataclass

from netdef.schema.netdef_pb2 import SolverState
from netdef.schema.weights.atomic import replacing
from netdef.schema.weights.caffemodel import damage_told
from netdef.schema.weights.values import Array, blob_parts, read_blob
from netdef.schema.weights.wire import BYTES, VARINT, Reader, header

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class SolverStateData:
    """Where a training stood.

    Attributes:
        iteration: updates done.
        learned_net: file of the model saved with it, as the writer saw it; may be "".
        history: slots of the update rule in the order of the learnable params; AdaDelta and
            Adam append a second round.
        current_step: steps that `multistep` has made.
    """

    iteration: int
    learned_net: str
    history: list[Array]
    current_step: int = 0


def read(path: str | os.PathLike[str]) -> SolverStateData:
    """Read a .solverstate.

    Raises:
        NetdefError: where the file is damaged.
        OSError: where it cannot be read.
    """
    shown = os.fspath(path)
    iteration, learned_net, current_step = 0, "", 0
    history: list[Array] = []
    with open(path, "rb") as file, damage_told(path):
        reader = Reader(file)
        for field in reader.fields(0, reader.size):
            if field.number == _ITER and field.wire == VARINT:
                iteration = field.value
            elif field.number == _LEARNED_NET and field.wire == BYTES:
                learned_net = reader.text(field)
            elif field.number == _CURRENT_STEP and field.wire == VARINT:
                current_step = field.value
            elif field.number == _HISTORY and field.wire == BYTES:
                name = f"slot {len(history)} of the history"
                history.append(read_blob(reader, field.start, field.end, name, shown))
    return SolverStateData(iteration, learned_net, history, current_step)


def write(path: str | os.PathLike[str], state: SolverStateData) -> None:
    """Write a .solverstate that Caffe reads.

    Raises:
        NetdefError: where the file cannot be written.
    """
    head = SolverState(
        iter=state.iteration, learned_net=state.learned_net, current_step=state.current_step
    )
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(head.SerializeToString())
        for slot in state.history:
            pieces = list(blob_parts(slot))
            file.write(header(_HISTORY, sum(map(len, pieces))))
            file.writelines(pieces)
