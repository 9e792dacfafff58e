"""Where a training step's time goes, layer by layer: `python -m benchmarks.profile_net NET`.

NET is a name of `benchmarks.nets` or a solver's prototxt. Real `Solver.step`s run; each layer's
forward and backward are timed where the executor calls them, so fusion, shards and threads are as
in training. With several threads a layer's time is that of its slower shard; waiting for the other
is in the rest. GFLOP/s counts two operations a multiply-add, stands beside the machine's own sgemm
rate with as many threads, and is above it where an algorithm needs fewer multiplications.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import nets
from benchmarks.turns import WORK, environment

if TYPE_CHECKING:
    from netdef.run.solver import Solver

Key = tuple[int, str]  # step, and "forward" or "backward"


class Clock:
    """Adds up seconds by what they were spent on, thread by thread, iteration by iteration."""

    def __init__(self) -> None:
        self._now: dict[Any, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        self.rounds: list[dict[Any, float]] = []

    def timed(self, key: Any, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, with its time counted."""

        def run(*arguments: Any, **named: Any) -> Any:
            begin = perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                self._now[key][get_ident()] += perf_counter() - begin

        return run

    def turn(self) -> None:
        """End an iteration."""
        self.rounds.append({key: max(by.values()) for key, by in self._now.items()})
        self._now.clear()

    def ms(self, key: Any) -> float:
        """The median of an iteration."""
        return 1e3 * median(found.get(key, 0.0) for found in self.rounds)


class _TimedLayer:
    """Stands for a layer, and times what runs of it."""

    def __init__(self, layer: Any, index: int, clock: Clock) -> None:
        self._layer, self._index, self._clock = layer, index, clock

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._layer, name)
        if name.startswith(("forward", "backward")) and callable(value):
            way = "forward" if name.startswith("forward") else "backward"
            return self._clock.timed((self._index, way), value)
        return value


def watch(solver: Solver, clock: Clock) -> None:
    """Put the clock into a solver that has not run yet."""
    import netdef.run.executor as executor

    program: Any = solver.net.program
    for index, step in enumerate(program.steps):
        if step.layer is not None:
            step.layer = _TimedLayer(step.layer, index, clock)
    # Copies between layouts are functions of the executor's module.
    for name, way in (("_copy", "forward"), ("_copy_back", "backward")):
        if hasattr(executor, name):
            setattr(executor, name, clock.timed(("copies", way), getattr(executor, name)))
    net: Any = solver.net
    net.forward = clock.timed(("all", "forward"), net.forward)
    net.backward = clock.timed(("all", "backward"), net.backward)
    updating: Any = solver
    updating.apply_update = clock.timed(("update", "update"), solver.apply_update)


def sgemm_gflops(threads: int) -> float:
    """The machine's rate on large square matrices."""
    import numpy as np
    import threadpoolctl

    a = np.random.default_rng(1).standard_normal((1024, 1024), dtype=np.float32)
    out = np.empty_like(a)
    with threadpoolctl.threadpool_limits(threads):
        seconds = []
        for _ in range(8):
            begin = perf_counter()
            np.matmul(a, a, out=out)
            seconds.append(perf_counter() - begin)
    return 2 * 1024**3 / min(seconds) / 1e9


def profile(file: Path, threads: int, steps: int) -> str:
    """Run and write the table, as Markdown."""
    import numpy as np

    from netdef.run.solver import Solver

    rate = sgemm_gflops(threads)
    solver = Solver.from_file(file, threads=threads, keep="outputs")
    random = np.random.default_rng(1)
    for name in solver.net.inputs:
        data = solver.net.blobs[name].data
        data[...] = np.arange(data.size) % 10 if data.ndim == 1 else random.random(data.shape)
    clock = Clock()
    watch(solver, clock)
    solver.step(2)
    clock.rounds.clear()
    seconds = []
    for _ in range(steps):
        clock._now.clear()
        begin = perf_counter()
        solver.step(1)
        seconds.append(perf_counter() - begin)
        clock.turn()
    whole = 1e3 * median(seconds)
    title = f"{file.name}, threads {threads}, sgemm {rate:.0f} GFLOP/s, step {whole:.2f} ms"
    return f"{title}\n\n" + _table(solver, clock, whole)


def _table(solver: Solver, clock: Clock, whole: float) -> str:
    program: Any = solver.net.program
    rows = []
    for index, step in enumerate(program.steps):
        times = [clock.ms((index, way)) for way in ("forward", "backward")]
        if step.layer is None or not any(times):
            continue
        node = program.net.nodes[step.node]
        rates = [_gflops(program, step, ms, way) for way, ms in enumerate(times)]
        rows.append((node.name, node.type, step.layout.value, *times, *rates))
    for name in ("copies",):
        rows.append((name, "", "", *(clock.ms((name, w)) for w in ("forward", "backward")), "", ""))
    rest = [
        clock.ms(("all", way)) - sum(row[3 + n] for row in rows)
        for n, way in enumerate(("forward", "backward"))
    ]
    rows.append(("rest", "", "", *rest, "", ""))
    rows.append(("update", "", "", 0.0, clock.ms(("update", "update")), "", ""))
    lines = [
        "| layer | type | layout | forward ms | backward ms | % | GFLOP/s f | b |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for name, kind, layout, forward, backward, *rates in rows:
        share = 100 * (forward + backward) / whole
        cells = (name, kind, layout, f"{forward:.2f}", f"{backward:.2f}", f"{share:.0f}", *rates)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _gflops(program: Any, step: Any, ms: float, way: int) -> str:
    """The rate of a layer that multiplies matrices; backward does it once or twice."""
    net = program.net
    node = net.nodes[step.node]
    bottoms, tops = net.bottom_shapes(node), net.top_shapes(node)
    if not node.params or not ms or bottoms is None or tops is None:
        return ""
    macs = step.layer.macs(bottoms, tops)
    times = 1 if way == 0 else 1 + any(step.propagate)
    return f"{2 * macs * times / ms / 1e6:.0f}" if macs else ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("net")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0, help="as many as fill three seconds")
    options = parser.parse_args()
    wanted = environment(options.threads)
    if os.environ.get("OMP_NUM_THREADS") != wanted["OMP_NUM_THREADS"]:
        import sys

        # A BLAS reads these when it is loaded: start again with them.
        command = [sys.executable, "-m", "benchmarks.profile_net", *sys.argv[1:]]
        os.execve(sys.executable, command, wanted)
    file = Path(options.net)
    if options.net in nets.NETS:
        nets.write(options.net, WORK)
        file = WORK / f"{options.net}_solver.prototxt"
    print(profile(file, options.threads, options.steps or 15))


if __name__ == "__main__":
    main()
