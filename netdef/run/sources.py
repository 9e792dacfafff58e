"""What a net reads its batches from and writes them to: opened once, kept through all its plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netdef.data.memory import MemoryReader
from netdef.diag import FieldError, NetdefError
from netdef.graph import Net, Node
from netdef.graph.infer_shapes import context_of
from netdef.graph.problems import complaint
from netdef.layers.base import DataLayer, SinkLayer
from netdef.plan import Program


class Sources:
    """The open readers and writers of a net, by layer name."""

    def __init__(self) -> None:
        self._readers: dict[str, Any] = {}
        self._writers: dict[str, Any] = {}

    def attach(self, program: Program, seed: int) -> None:
        """Hand each layer of a plan its reader or writer, opened where that is not done yet.

        Raises:
            NetdefError: a source cannot be opened.
        """
        net = program.net
        for step in program.steps:
            node = net.nodes[step.node]
            if isinstance(step.layer, SinkLayer):
                if node.name not in self._writers:
                    self._writers[node.name] = step.layer.open(context_of(net))
                step.forward_runs[0].work = self._writers[node.name]
            elif isinstance(step.layer, DataLayer):
                if node.name not in self._readers:
                    self._readers[node.name] = _open(net, node, step.layer, seed)
                step.forward_runs[0].work = self._readers[node.name]

    def states(self) -> dict[str, Mapping[str, int]]:
        """Where each reader stands."""
        return {name: reader.state() for name, reader in self._readers.items()}

    def restore(self, states: Mapping[str, Mapping[str, int]]) -> None:
        """Bring the readers to where `states` said they stood."""
        for name, state in states.items():
            if name in self._readers:
                self._readers[name].restore(state)

    def wrap(self, wrapper: Callable[[Any], Any]) -> None:
        """Put something between each reader and the net; takes effect with the next `attach`."""
        self._readers = {name: wrapper(reader) for name, reader in self._readers.items()}

    def set_arrays(self, data: Any, labels: Any, layer: str | None) -> None:
        """Give a MemoryData layer its data; see `Net.set_input_arrays`."""
        known = {n: r for n, r in self._readers.items() if isinstance(r, MemoryReader)}
        name = next(iter(known), None) if layer is None else layer
        if name is None or name not in known:
            words = ", ".join(f"`{n}`" for n in known) or "none"
            raise ValueError(f"no MemoryData layer takes the arrays; the net's are: {words}")
        known[name].set_arrays(np.asarray(data), np.asarray(labels))

    def close(self) -> None:
        """Close all."""
        for open_file in (*self._readers.values(), *self._writers.values()):
            open_file.close()
        self._readers, self._writers = {}, {}


def _open(net: Net, node: Node, layer: DataLayer, seed: int) -> Any:
    try:
        return layer.open(context_of(net, seed), tuple(node.message.top))
    except FieldError as error:
        raise NetdefError(complaint(net, node, error)) from error
