"""What a net scores on its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from netdef.api.loading import StrPath, pick_state, read
from netdef.api.problems import InputsStayEmpty, NothingToScore, WeightsUnmatched
from netdef.diag import NetdefError, Problem, Report, Severity
from netdef.layers.base import Phase
from netdef.run.copy_weights import Copied
from netdef.run.net import Net
from netdef.run.progress import Output

Each = Callable[[int, tuple[Output, ...]], bool]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a test found.

    Attributes:
        name: of the net.
        batches: over which the means are taken.
        outputs: means of the net's outputs.
        loss: mean weighted loss.
        seconds: it took.
    """

    name: str
    batches: int
    outputs: tuple[Output, ...]
    loss: float
    seconds: float


def test(
    path: StrPath,
    weights: Iterable[StrPath] = (),
    *,
    iterations: int = 50,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    seed: int | None = None,
    threads: int | None = None,
    each: Each | None = None,
    report: Report | None = None,
) -> Scores | None:
    """Score a net over some batches of its own data.

    Args:
        path: the net's prototxt.
        weights: files to copy weights from, the later over the earlier.
        iterations: how many batches.
        phase: None for test, or for train where only that has data.
        level: decides which layers the net has.
        stages: decide which layers the net has.
        seed: of everything random.
        threads: as for `load`.
        each: called after each batch with its number and outputs; false ends the test.
        report: takes warnings.

    Returns:
        The means; None where `each` ended the test.

    Raises:
        NetdefError: a file is at fault, or there is nothing to score.
    """
    from time import perf_counter

    from netdef.run.score import score

    report = Report() if report is None else report
    document = read(path)
    state = pick_state(document, phase, level, stages)
    with Net(
        document, state, seed=seed, threads=threads, keep="outputs", backward=False, processes=None
    ) as net:
        copied = [(Path(name), net.copy_from(name)) for name in weights]
        for problem in (*empty_inputs(net), *unmatched(copied, net)):
            report.add(problem)
        report.raise_if_errors()
        if not net.outputs:
            raise NetdefError(NothingToScore(f"net `{net.name}` has no output"))
        start = perf_counter()
        found = score(net, iterations, each)
        if found is None:
            return None
        return Scores(net.name, iterations, found[0], found[1], perf_counter() - start)


def empty_inputs(net: Net) -> list[Problem]:
    """A warning where the net waits for values that no file brings."""
    if not net.inputs:
        return []
    names = ", ".join(f"`{name}`" for name in net.inputs)
    return [
        InputsStayEmpty(
            f"nothing fills {names}: {'they stay' if len(net.inputs) > 1 else 'it stays'} zero",
            next((layer.place for layer in net.layers if layer.type == "Input"), None),
            help="read data with a layer of the net's own, such as Data or HDF5Data",
        )
    ]


def unmatched(copied: list[tuple[Path, Copied]], net: Net) -> list[Problem]:
    """What is to say where files did not have weights for all layers."""
    if not copied:
        return []
    files = ", ".join(f"`{path}`" for path, _ in copied)
    matched = {name for _, each in copied for name in each.matched}
    missing = [name for name in net.params if name not in matched]
    if not missing:
        return []
    unused = [name for _, each in copied for name in each.unused]
    notes = [f"no layer of the net takes {_list(unused)} of the file"] if unused else []
    if not matched:
        return [
            WeightsUnmatched(
                f"{files} has no layer of this net: {_list(missing)}",
                notes=tuple(notes),
                help="weights are copied by layer name: is it the file of another net?",
                severity=Severity.ERROR,
            )
        ]
    return [
        WeightsUnmatched(
            f"{files} has no weights for {_list(missing)}",
            notes=(*notes, "they keep the values of their fillers"),
        )
    ]


def _list(names: list[str], most: int = 6) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
