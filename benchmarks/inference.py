"""TEST forward of netdef and its peers, turn by turn: `python -m benchmarks.inference`.

At one image and at the net's batch, for throughput. torch runs in its strong form, OpenCV reads
the same prototxt and .caffemodel, ONNX Runtime a model that torch exported. `benchmarks.training`
writes the weights (`--agreement`), or this does where there are none.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks import nets
from benchmarks.training import NETDEF, STRONG, line, ours
from benchmarks.turns import WORK, Program, measure, run

OPENCV, ONNX = "OpenCV", "ONNX Runtime"
_FILES = {NETDEF: "netdef", STRONG: "torch", OPENCV: "opencv", ONNX: "onnxruntime"}


def programs(name: str, threads: int, images: int) -> list[Program]:
    """What takes turns."""
    files = (name, str(WORK), str(threads), str(images))
    return [
        *ours("test", *files),
        Program(STRONG, "benchmarks.peers.torch_run", ("test", *files)),
        Program(OPENCV, "benchmarks.peers.opencv_run", files),
        Program(ONNX, "benchmarks.peers.onnxruntime_run", files),
    ]


def measure_net(
    name: str, threads: int, images: int, rounds: int, only: Sequence[str] = ()
) -> dict:
    """A net's TEST forward.

    Args:
        name: of the net.
        threads: for each program.
        images: in the batch.
        rounds: turns of each program.
        only: names of programs; empty for all.

    Returns:
        What to keep, by program, each with `error`, the largest difference of a probability
        from netdef's; under "others" how many processors other processes used.
    """
    prepare(name, images, export=not only or ONNX in only)
    for file in _FILES.values():
        (WORK / f"{file}_{name}_{images}.npy").unlink(missing_ok=True)
    chosen = [p for p in programs(name, threads, images) if not only or p.name in only]
    results, others = measure(chosen, threads, rounds)
    found: dict = {}
    for key, result in results.items():
        found[key] = result.record()
        difference = _difference(name, images, key)
        if difference is not None:
            found[key]["error"] = difference
    found["others"] = others
    title = f"{name:12} {images:3} images {threads} threads"
    errors = max((found[key].get("error", 0.0) for key in results), default=0.0)
    print(f"{title}  {line(results)}  (apart {errors:.0e}, others {others:.1f})", flush=True)
    return found


def prepare(name: str, images: int, *, export: bool = True) -> None:
    """Write the files that are not there yet."""
    nets.write(name, WORK)
    files = (name, str(WORK), "2")
    if not (WORK / f"{name}.caffemodel").exists():
        run("benchmarks.ours", ("prepare", *files), peer=False)
    if export and not (WORK / f"{name}_{images}.onnx").exists():
        try:
            run("benchmarks.peers.torch_run", ("export", *files, str(images)), peer=True)
        except RuntimeError as error:
            print(error)


def _difference(name: str, images: int, program: str) -> float | None:
    """How far the probabilities are from netdef's; None where either is missing."""
    if program not in _FILES:
        return None
    paths = [WORK / f"{_FILES[key]}_{name}_{images}.npy" for key in (NETDEF, program)]
    if program == NETDEF or not all(path.exists() for path in paths):
        return None
    mine, theirs = (np.load(path).reshape(images, -1) for path in paths)
    return float(np.abs(mine - theirs).max())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nets", nargs="+", choices=nets.NETS, default=list(nets.NETS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, nargs="+", help="1 and the net's batch")
    parser.add_argument("--programs", nargs="+", default=[])
    options = parser.parse_args()
    for name in options.nets:
        for images in options.images or (1, nets.NETS[name].batch):
            for threads in options.threads:
                measure_net(name, threads, images, options.rounds, options.programs)


if __name__ == "__main__":
    main()
