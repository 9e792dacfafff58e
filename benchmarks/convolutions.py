"""How long convolutions of known nets take: by the rule, by im2col, and by torch if it is there.

Run from the repository's root with one BLAS thread. The ways take turns, each counts its
fastest pass, and every array is made once.

    python benchmarks/convolutions.py                       # all shapes at their net's batch
    python benchmarks/convolutions.py --batch 4 1 R2 R3     # some shapes at other batches
    python benchmarks/convolutions.py --every L2            # all ways that fit, not the rule's
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy loads it

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from netdef.kernels import convolution as ways
from netdef.kernels.convolution import Algorithm, Geometry


def _square(
    batch: int,
    channels: int,
    size: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    pad: int = 0,
    group: int = 1,
) -> Geometry:
    sizes = ((v, v) for v in (size, kernel, stride, pad, 1))
    return Geometry(batch, channels, outputs, *sizes, group)


FIRST = {"L1", "Q1", "A1", "G1", "M0"}
"""Layers whose input is data, which wants no gradient."""

SHAPES = {  # LeNet, cifar_quick, CaffeNet, GoogLeNet, ResNet-50, MobileNet
    "L1": _square(64, 1, 28, 20, 5),
    "L2": _square(64, 20, 12, 50, 5),
    "Q1": _square(100, 3, 32, 32, 5, pad=2),
    "Q2": _square(100, 32, 16, 32, 5, pad=2),
    "Q3": _square(100, 32, 8, 64, 5, pad=2),
    "A1": _square(32, 3, 227, 96, 11, 4),
    "A2": _square(32, 96, 27, 256, 5, pad=2, group=2),
    "A3": _square(32, 256, 13, 384, 3, pad=1),
    "A4": _square(32, 384, 13, 384, 3, pad=1, group=2),
    "G1": _square(16, 3, 224, 64, 7, 2, 3),
    "G2": _square(16, 64, 56, 192, 3, pad=1),
    "G3": _square(16, 192, 28, 64, 1),
    "G4": _square(16, 96, 28, 128, 3, pad=1),
    "G5": _square(16, 16, 28, 32, 5, pad=2),
    "R1": _square(8, 64, 56, 256, 1),
    "R2": _square(8, 64, 56, 64, 3, pad=1),
    "R3": _square(8, 256, 14, 256, 3, pad=1),
    "R4": _square(8, 512, 7, 512, 3, pad=1),
    "R5": _square(8, 256, 56, 512, 1, 2),
    "M0": _square(8, 3, 224, 32, 3, 2, 1),
    "M1": _square(8, 128, 56, 128, 3, pad=1, group=128),
    "M2": _square(8, 64, 112, 64, 3, 2, 1, group=64),
    "M3": _square(8, 128, 56, 128, 1),
}

LOOSER = (
    ways.WinogradF2,
    ways.WinogradF4,
    ways.WinogradF5,
    ways.SpaceToDepthF2,
    ways.SpaceToDepthF4,
    ways.SpaceToDepthF5,
)


@dataclass
class Timed:
    """Forward and backward of one way, with the fastest milliseconds of each so far."""

    name: str
    forward: Callable[[], object]
    backward: Callable[[], object]
    scratch: int = 0
    best: tuple[float, float] = (np.inf, np.inf)

    def run(self) -> None:
        """Time one pass of each."""
        start = time.perf_counter()
        self.forward()
        middle = time.perf_counter()
        self.backward()
        end = time.perf_counter()
        self.best = (
            min(self.best[0], 1e3 * (middle - start)),
            min(self.best[1], 1e3 * (end - middle)),
        )


def ours(way: type[Algorithm], g: Geometry, dx: bool) -> Timed:
    """One of our ways, with arrays of its own."""
    algorithm, random = way(g), np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, dtype=np.float32)

    needs = algorithm.scratch(dx=dx, dw=True)
    algorithm.bind({k: np.zeros(s, np.float32) for k, s in needs.items()}, np.float32)
    x, w = normal(g.channels, *g.size, g.batch), normal(g.outputs, g.channels // g.group, *g.kernel)
    b, y = normal(g.outputs), normal(g.outputs, *g.out, g.batch)
    dy, dw, db = normal(*y.shape), np.empty_like(w), np.empty_like(b)
    into = np.empty_like(x) if dx else None
    return Timed(
        algorithm.name,
        lambda: algorithm.forward(x, w, b, y),
        lambda: algorithm.backward(x, w, dy, into, dw, db),
        4 * sum(map(prod, needs.values())),
    )


def peers(g: Geometry, dx: bool) -> Iterator[Timed]:
    """Torch at its default and with channels last, if it is installed."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
    for name, form in (
        ("torch", torch.contiguous_format),
        ("torch channels_last", torch.channels_last),
    ):
        x = torch.randn(g.batch, g.channels, *g.size).to(memory_format=form).requires_grad_(dx)
        w = torch.randn(g.outputs, g.channels // g.group, *g.kernel).to(memory_format=form)
        b = torch.randn(g.outputs, requires_grad=True)
        w.requires_grad_()
        dy = torch.randn(g.batch, g.outputs, *g.out).to(memory_format=form)
        wanted = [x, w, b] if dx else [w, b]
        last: list[torch.Tensor] = []

        def forward(x=x, w=w, b=b, last=last) -> None:  # noqa: ANN001  # bound to this turn
            last[:] = [
                torch.conv2d(x, w, b, g.stride, g.pad, g.dilation, g.group)  # type: ignore[arg-type]
            ]

        def backward(last=last, wanted=wanted, dy=dy) -> None:  # noqa: ANN001
            torch.autograd.grad(last[0], wanted, dy)

        yield Timed(name, forward, backward)


def measure(shape: str, g: Geometry, every: bool, seconds: float) -> str:
    """One row of the table."""
    dx = shape not in FIRST
    chosen = ways.choose(g)
    candidates: list[type[Algorithm]] = [chosen]
    if chosen is not ways.Im2col:
        candidates.append(ways.Im2col)
    if every:
        candidates += [w for w in LOOSER if w.fits(g) and w is not chosen]
    runs = [*(ours(way, g, dx) for way in candidates), *peers(g, dx)]
    end, turns = time.perf_counter() + seconds, 0
    while turns < 3 or time.perf_counter() < end:
        for run in runs:
            run.run()
        turns += 1
    macs = g.fan_in * g.outputs * prod(g.out) * g.batch
    rate = 2 * macs * (3 if dx else 2) / sum(runs[0].best) / 1e6
    cells = [f"{r.name} {r.best[0]:.2f} / {r.best[1]:.2f}" for r in runs]
    scratch = f"{runs[0].scratch / 1e6:.0f} MB"
    return f"| {shape} | {g.batch} | {rate:.0f} | {scratch} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shapes", nargs="*", default=list(SHAPES), metavar="SHAPE")
    parser.add_argument("--batch", type=int, nargs="+", default=[0], help="0: that of the net")
    parser.add_argument("--every", action="store_true", help="all ways that fit")
    parser.add_argument("--seconds", type=float, default=0.5, help="least time for a shape")
    options = parser.parse_args()
    print("Fastest milliseconds forward / backward, one thread; GFLOP/s of direct arithmetic\n")
    print("| shape | batch | GFLOP/s | scratch | by the rule | others |\n|---|---|---|---|---|---|")
    for batch in options.batch:
        for shape in options.shapes:
            g = replace(SHAPES[shape], batch=batch or SHAPES[shape].batch)
            print(measure(shape, g, options.every, options.seconds), flush=True)


if __name__ == "__main__":
    main()
