"""Training steps of netdef and of torch, turn by turn: `python -m benchmarks.training`.

A step is forward, backward and an update by SGD with momentum 0.9 and weight decay 0.0005. netdef
runs its Solver with display off; torch runs the same net in its default and in its strong form.
Prints one line a net and number of threads; `benchmarks.report` keeps the results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks import nets
from benchmarks.turns import WORK, Program, Result, measure, run

NETDEF, FAST, TORCH, STRONG = "netdef", "netdef fast", "torch", "torch strong"


def ours(*arguments: str) -> list[Program]:
    """netdef with NumPy alone, and with the compiled kernels where numba is installed."""
    module = "benchmarks.ours"
    forms = [Program(NETDEF, module, arguments, peer=False, settings=(("NETDEF_FAST", "0"),))]
    if find_spec("numba") is not None:
        settings = (("NETDEF_FAST", "1"),)
        forms.append(Program(FAST, module, arguments, peer=False, settings=settings))
    return forms


def programs(name: str, threads: int) -> list[Program]:
    """What takes turns."""
    files = (name, str(WORK), str(threads))
    torch = "benchmarks.peers.torch_run"
    return [
        *ours("train", *files),
        Program(TORCH, torch, ("train", *files)),
        Program(STRONG, torch, ("train", *files, "--strong")),
    ]


def measure_net(name: str, threads: int, rounds: int, only: Sequence[str] = ()) -> dict:
    """A net's training step with some number of threads.

    Args:
        name: of the net.
        threads: for each program.
        rounds: turns of each program.
        only: names of programs; empty for all.

    Returns:
        What to keep, by program; under "others" how many processors other processes used.
    """
    nets.write(name, WORK)
    chosen = [p for p in programs(name, threads) if not only or p.name in only]
    results, others = measure(chosen, threads, rounds)
    found: dict = {key: result.record() for key, result in results.items()}
    found["others"] = others
    print(f"{name:12} {threads} threads  {line(results)}  (others {others:.1f})", flush=True)
    return found


def line(results: dict[str, Result]) -> str:
    """Minimum, median and ratio to netdef of each program."""
    words = []
    own = results.get(NETDEF)
    base = own.record().get("median") if own else None
    for name, result in results.items():
        record = result.record()
        if "failure" in record:
            words.append(f"{name}: {record['failure']}")
            continue
        ratio = f" ×{record['median'] / base:.2f}" if base and name != NETDEF else ""
        words.append(f"{name} {record['min']:.2f} {record['median']:.2f} ms{ratio}")
    return " | ".join(words)


def agreement(name: str) -> dict:
    """The first losses of all programs from the same weights, Dropout left out.

    It also writes the weights that TEST forward uses.
    """
    nets.write(name, WORK)
    for exported in WORK.glob(f"{name}_*.onnx"):
        exported.unlink()
    files = (name, str(WORK), "2")
    torch = "benchmarks.peers.torch_run"
    spoken = {
        NETDEF: ("benchmarks.ours", ("prepare", *files), False),
        TORCH: (torch, ("losses", *files), True),
        STRONG: (torch, ("losses", *files, "--strong"), True),
    }
    found: dict = {}
    for program, (module, arguments, peer) in spoken.items():
        try:
            found[program] = [float(word) for word in run(module, arguments, peer=peer).split()]
        except RuntimeError as error:
            found[program] = str(error)
        shown = (
            found[program]
            if isinstance(found[program], str)
            else " ".join(f"{loss:.7g}" for loss in found[program])
        )
        print(f"{name:12} losses, {program}: {shown}", flush=True)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nets", nargs="+", choices=nets.NETS, default=list(nets.NETS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", nargs="+", default=[], help="by name")
    parser.add_argument("--agreement", action="store_true", help="compare losses first")
    options = parser.parse_args()
    for name in options.nets:
        if options.agreement:
            agreement(name)
        for threads in options.threads:
            measure_net(name, threads, options.rounds, options.programs)


if __name__ == "__main__":
    main()
