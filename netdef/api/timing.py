"""How long a net takes, step by step and whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np

from netdef.api.loading import StrPath, pick_state, read
from netdef.layers.base import Phase
from netdef.run.net import Net
from netdef.run.threads import blas
from netdef.run.trace import Trace, step_name
from netdef.view.steps import plan_rows


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long a step of the plan takes.

    Attributes:
        name: of the layer; of a copy, what is copied.
        type: Caffe's; "" for a copy.
        how: its layout, algorithm, and the layers that are done with it.
        forward: milliseconds, median; None where it has nothing to do.
        backward: likewise.
        macs: multiply-accumulates of a forward pass.
        gradients: how many products of that size backward makes.
    """

    name: str
    type: str
    how: str
    forward: float | None
    backward: float | None
    macs: int
    gradients: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long a net takes.

    Attributes:
        name: of the net.
        state: TRAIN or TEST, and the rest of it.
        threads: parts of the batch computed side by side.
        batch: images of a pass, 0 where nobody can tell.
        iterations: over which medians were taken.
        steps: as they run, each shard in its thread; of several shards the slowest counts.
        forward: milliseconds of a whole pass.
        backward: likewise; None where nothing runs backward.
        sgemm: GFLOP/s of this machine's own matrix product, with as many threads.
    """

    name: str
    state: str
    threads: int
    batch: int
    iterations: int
    steps: tuple[StepTime, ...]
    forward: float
    backward: float | None
    sgemm: float

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a forward pass."""
        return sum(step.macs for step in self.steps)


def time(
    path: StrPath,
    *,
    iterations: int = 50,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    seed: int | None = None,
    threads: int | None = None,
    exact: bool = False,
    profile: str | None = None,
) -> Times:
    """Measure a net's forward and backward passes, and each step of them as it runs.

    Args:
        path: the net's prototxt; Input blobs are filled with random numbers.
        iterations: passes to take the median of.
        phase: None for train, or for test where only that has data.
        level: decides which layers the net has.
        stages: decide which layers the net has.
        seed: of everything random.
        threads: as for `load`.
        exact: as for `load`.
        profile: a file for a trace that chrome://tracing and Perfetto open.

    Raises:
        NetdefError: a file is at fault.
    """
    document = read(path)
    state = pick_state(document, phase, level, stages, first="train")
    with Net(
        document, state, seed=seed, threads=threads, keep="outputs", exact=exact, processes=None
    ) as net:
        random = np.random.default_rng(seed)
        for name in net.inputs:
            data = net.blobs[name].data
            # whole numbers from 0 to 1 are labels of any net
            data[...] = random.random(data.shape) if data.ndim > 1 else 0
        return _measure(net, str(state), iterations, profile)


def _measure(net: Net, state: str, iterations: int, profile: str | None) -> Times:
    backward = any(step.backward for step in net.program.steps)

    def run() -> tuple[float, float]:
        start = perf_counter()
        net.forward()
        middle = perf_counter()
        if backward:
            net.clear_param_diffs()
            net.backward()
        return 1000 * (middle - start), 1000 * (perf_counter() - middle)

    run()  # what is written into inputs is taken over, caches are warm
    whole = [run() for _ in range(iterations)]
    trace = net.trace = Trace()
    for _ in range(iterations):
        run()
        trace.mark()
    net.trace = None
    if profile is not None:
        trace.write(profile, net.program)
    shapes = [net.program.values[i].shape for step in net.program.steps for i in step.tops]
    return Times(
        net.name,
        state,
        net.program.lanes,
        next((shape[0] for shape in shapes if shape), 0),
        iterations,
        tuple(_steps(net, trace)),
        median(forward for forward, _ in whole),
        median(back for _, back in whole) if backward else None,
        sgemm_rate(net.program.lanes),
    )


def sgemm_rate(threads: int) -> float:
    """GFLOP/s of large square matrix products, the best of several."""
    size = 1024
    a = np.random.default_rng(1).standard_normal((size, size), dtype=np.float32)
    out = np.empty_like(a)
    blas.use(threads)
    seconds = []
    for _ in range(8):
        start = perf_counter()
        np.matmul(a, a, out=out)
        seconds.append(perf_counter() - start)
    return 2 * size**3 / min(seconds) / 1e9


def _steps(net: Net, trace: Trace) -> Iterator[StepTime]:
    found = {(time.step, time.way): median(time.passes) for time in trace.times()}
    rows = plan_rows(net.program)
    program = net.program
    for index, (step, row) in enumerate(zip(program.steps, rows, strict=True)):
        forward, backward = found.get((index, "forward")), found.get((index, "backward"))
        if forward is None and backward is None:
            continue
        done = [
            program.net.nodes[other.node].name
            for other in program.steps
            if other.fused_into == index
        ]
        node = program.net.nodes[step.node]
        learns = any(program.net.params[p].learns for p in node.params)
        yield StepTime(
            step_name(program, index),
            "" if step.layer is None else node.type,
            ", ".join(word for word in (row.layout, row.forward, *(f"+{n}" for n in done)) if word),
            forward,
            backward,
            _macs(net, index),
            learns + any(step.propagate),
        )


def _macs(net: Net, index: int) -> int:
    step = net.program.steps[index]
    node = net.graph.nodes[step.node]
    bottoms, tops = net.graph.bottom_shapes(node), net.graph.top_shapes(node)
    if step.layer is None or bottoms is None or tops is None:
        return 0
    return step.layer.macs(bottoms, tops)
