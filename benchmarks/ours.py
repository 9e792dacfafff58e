"""netdef as a measured program: `python -m benchmarks.ours {train,test,prepare} …`."""

from __future__ import annotations

import argparse
import platform
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.nets import NETS
from benchmarks.worker import Worker, batch

if TYPE_CHECKING:
    from netdef.run.net import Net
    from netdef.run.solver import Solver

LOSSES = 3  # steps that are compared


def _solver(name: str, folder: Path, threads: int, suffix: str = "") -> Solver:
    """A solver whose net holds the bench's batch."""
    import netdef.run.solver

    file = folder / f"{name}{suffix}_solver.prototxt"
    solver = netdef.run.solver.Solver.from_file(file, threads=threads, keep="outputs")
    _fill(solver.net, name)
    return solver


def _fill(net: Net, name: str) -> None:
    images, labels = batch(net.blobs["data"].shape, NETS[name].classes)
    net.blobs["data"].data[...] = images
    if "label" in net.blobs:
        net.blobs["label"].data[...] = labels


def _facts(net: Net) -> dict[str, object]:
    """How long planning takes, and the versions."""
    import numpy as np
    import threadpoolctl

    from netdef.plan import make_plan

    program = net.program
    begin = perf_counter()
    make_plan(program.net, program.params, program.options, program.random)
    seconds = perf_counter() - begin
    blas = [f"{b['version']} {b['architecture']}" for b in threadpoolctl.threadpool_info()]
    versions = {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "OpenBLAS": ", ".join(blas),
    }
    return {"plan": 1e3 * seconds, "versions": versions}


def train(name: str, folder: Path, threads: int) -> None:
    """Serve training steps."""
    worker = Worker()
    with worker.part("import"):
        import netdef.plan
        import netdef.run.solver  # noqa: F401
    with worker.part("build"):
        solver = _solver(name, folder, threads)
    worker.serve(lambda: solver.step(1), lambda: _facts(solver.net))


def test(name: str, folder: Path, threads: int, images: int) -> None:
    """Serve TEST forward passes."""
    worker = Worker()
    with worker.part("import"):
        import netdef
        import netdef.run.net
    with worker.part("build"):
        model, weights = folder / f"{name}_deploy_{images}.prototxt", folder / f"{name}.caffemodel"
        net = netdef.load(model, weights, keep="outputs", threads=threads, processes=True)
        _fill(net, name)
    result = folder / f"netdef_{name}_{images}.npy"
    worker.serve(lambda: net.forward()["prob"], lambda: _facts(net), result)


def prepare(name: str, folder: Path, threads: int) -> None:
    """Write weights for TEST, and initial weights and the first losses of training.

    One forward pass in TRAIN phase gives BatchNorm's statistics the numbers of this batch.
    """
    solver = _solver(name, folder, threads, "_dry")
    solver.net.save(folder / f"{name}_initial.caffemodel")
    losses = []
    for _ in range(LOSSES):
        solver.step(1)
        losses.append(solver.net.loss)
    print(" ".join(f"{loss:.9g}" for loss in losses))
    del solver
    solver = _solver(name, folder, threads, "_dry")
    solver.net.forward()
    solver.net.save(folder / f"{name}.caffemodel")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["train", "test", "prepare"])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("threads", type=int)
    parser.add_argument("images", type=int, nargs="?", default=1)
    options = parser.parse_args()
    if options.what == "test":
        test(options.net, options.folder, options.threads, options.images)
    else:
        work = {"train": train, "prepare": prepare}[options.what]
        work(options.net, options.folder, options.threads)


if __name__ == "__main__":
    main()
