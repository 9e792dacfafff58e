"""How long a net takes, by layer and whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np

from netdef.api.loading import StrPath, pick_state, read
from netdef.layers.base import Phase
from netdef.run.executor import Executor
from netdef.run.net import Net


@dataclass(frozen=True, slots=True)
class LayerTime:
    """How long a layer takes.

    Attributes:
        name: of the layer.
        type: Caffe's.
        forward: milliseconds, median.
        backward: milliseconds, median; None where it does not run backward.
        macs: multiply-accumulates of a forward pass.
    """

    name: str
    type: str
    forward: float
    backward: float | None
    macs: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long a net takes.

    Attributes:
        name: of the net.
        state: TRAIN or TEST, and the rest of it.
        threads: parts of the batch computed side by side.
        batch: images of a pass, 0 where nobody can tell.
        iterations: over which medians were taken.
        layers: each alone, in order; the sum is more than the whole, where layers of one
            thread do not wait for those of another.
        forward: milliseconds of a whole pass.
        backward: likewise; None where nothing runs backward.
    """

    name: str
    state: str
    threads: int
    batch: int
    iterations: int
    layers: tuple[LayerTime, ...]
    forward: float
    backward: float | None

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a forward pass."""
        return sum(layer.macs for layer in self.layers)


def time(
    path: StrPath,
    *,
    iterations: int = 50,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    seed: int | None = None,
    threads: int | None = None,
) -> Times:
    """Measure a net's forward and backward passes.

    Args:
        path: the net's prototxt; Input blobs are filled with random numbers.
        iterations: passes to take the median of.
        phase: None for train, or for test where only that has data.
        level: decides which layers the net has.
        stages: decide which layers the net has.
        seed: of everything random.
        threads: as for `load`.

    Raises:
        NetdefError: a file is at fault.
    """
    document = read(path)
    state = pick_state(document, phase, level, stages, first="train")
    with Net(document, state, seed=seed, threads=threads, keep="outputs") as net:
        random = np.random.default_rng(seed)
        for name in net.inputs:
            data = net.blobs[name].data
            data[...] = random.random(data.shape, np.float32)
        net.forward()  # what is written into inputs is taken over, caches are warm
        return _measure(net, str(state), iterations)


def _measure(net: Net, state: str, iterations: int) -> Times:
    graph, program = net.graph, net.program
    executor = Executor(program, [param.array() for param in net.learned])
    fresh = [True] * len(net.learned)
    backward = any(step.backward for step in program.steps)
    nodes = range(len(graph.nodes))

    def median_of(run: Callable[[], None]) -> float:
        times = []
        for _ in range(iterations):
            start = perf_counter()
            run()
            times.append(perf_counter() - start)
        return 1000 * median(times)

    forward_ms = median_of(executor.forward)
    backward_ms = None
    parts = [median_of(lambda i=i: executor.forward(i, i)) for i in nodes]  # type: ignore[misc]
    back_parts: dict[int, float] = {}
    if backward:
        executor.forward()
        backward_ms = median_of(lambda: executor.backward(fresh))
        last = len(graph.nodes)
        # what a pass does besides its layers: start the gradients, gather those of params
        around = median_of(lambda: executor.backward(fresh, last, last))
        for i in nodes:
            if graph.nodes[i].backward:
                spent = median_of(lambda i=i: executor.backward(fresh, i, i))  # type: ignore[misc]
                back_parts[i] = max(spent - around, 0.0)
    shapes = [program.values[i].shape for step in program.steps for i in step.tops]
    return Times(
        graph.name,
        state,
        program.shards,
        next((shape[0] for shape in shapes if shape), 0),
        iterations,
        tuple(
            LayerTime(node.name, node.type, parts[i], back_parts.get(i), _macs(net, i))
            for i, node in enumerate(graph.nodes)
        ),
        forward_ms,
        backward_ms,
    )


def _macs(net: Net, index: int) -> int:
    node = net.graph.nodes[index]
    bottoms, tops = net.graph.bottom_shapes(node), net.graph.top_shapes(node)
    if node.layer is None or bottoms is None or tops is None:
        return 0
    return node.layer.macs(bottoms, tops)
