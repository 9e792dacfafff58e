"""Nets and solvers from their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netdef.diag import Report
from netdef.graph import Net as GraphNet
from netdef.graph import State, compile_net
from netdef.layers.base import Phase, Shape
from netdef.schema.document import Document, read_net, read_solver

if TYPE_CHECKING:
    from netdef.api.settings import Assignment
    from netdef.run.net import Net
    from netdef.run.solver import Solver

StrPath = str | os.PathLike[str]

_PHASES = {"TRAIN": Phase.TRAIN, "0": Phase.TRAIN, "TEST": Phase.TEST, "1": Phase.TEST}


def make_state(
    phase: str | Phase | int = "test", level: int = 0, stages: Iterable[str] = ()
) -> State:
    """The state of a net from words.

    Args:
        phase: "train" or "test" in any case, a Phase, or Caffe's 0 and 1.
        level: for min_level and max_level rules.
        stages: names for stage and not_stage rules.

    Raises:
        ValueError: no such phase.
    """
    name = phase.value if isinstance(phase, Phase) else str(phase).upper()
    if name not in _PHASES:
        raise ValueError(f"phase is train or test, not {phase!r}")
    return State(_PHASES[name], level, frozenset(stages))


def pick_state(
    document: Document,
    phase: str | Phase | int | None,
    level: int = 0,
    stages: Iterable[str] = (),
    *,
    first: str = "test",
) -> State:
    """As `make_state`, with a phase that suits the net where none is given.

    Args:
        document: the net.
        phase: None for `first`, or the other phase where only that one has data.
        level: as in `make_state`.
        stages: as in `make_state`.
        first: the phase that is tried first.
    """
    stages = frozenset(stages)
    if phase is not None:
        return make_state(phase, level, stages)
    wanted = make_state(first, level, stages)
    other = make_state("train" if first == "test" else "test", level, stages)
    return other if not has_sources(document, wanted) and has_sources(document, other) else wanted


def has_sources(document: Document, state: State) -> bool:
    """Whether any layer without bottoms is part of the net in that state."""
    from netdef.graph.filter_state import keeps

    layers = document.message.layer  # type: ignore[union-attr]  # a net, not a solver
    return any(not layer.bottom for layer in layers if keeps(layer, state))


def load(
    path: StrPath,
    weights: StrPath | None = None,
    phase: str | Phase | int = "test",
    level: int = 0,
    stages: Iterable[str] = (),
    keep: str | Iterable[str] = "all",
    *,
    seed: int | None = None,
    threads: int | None = None,
    exact: bool = False,
    fast: bool | None = None,
    processes: bool | None = False,
) -> Net:
    """A net ready to run, from its prototxt.

    Args:
        path: the prototxt.
        weights: a .caffemodel or .caffemodel.h5 to copy by layer name.
        phase: "train" or "test".
        level: decides which layers the net has.
        stages: decide which layers the net has.
        keep: "all" for every blob to be there after forward; "outputs", or names of blobs.
        seed: of fillers and everything random; None for new numbers each time.
        threads: None for NETDEF_THREADS, else the cores this process may use.
        exact: use only arithmetic that keeps Caffe's digits.
        fast: compiled kernels; None for where numba is installed, unless NETDEF_FAST is 0.
        processes: on Linux, a process for each thread beyond the first, as Python's lock lets
            threads wait for each other; None for that unless NETDEF_PROCESSES is 0. Their arrays
            are shared, so such a net is not to be used in a fork of the process that loads it.

    Raises:
        NetdefError: the file has mistakes; its report has them all, with places.
        ValueError: no such phase.
    """
    from netdef.run.net import Net

    state = make_state(phase, level, stages)
    net = Net(
        read(path),
        state,
        seed=seed,
        threads=threads,
        keep=keep,
        exact=exact,
        fast=fast,
        processes=processes,
    )
    if weights is not None:
        net.copy_from(weights)
    return net


def load_solver(
    path: StrPath,
    model: StrPath | None = None,
    *,
    settings: Iterable[str] = (),
    weights: Sequence[StrPath] | None = None,
    keep: str | Iterable[str] = "all",
    out: StrPath | None = None,
    seed: int | None = None,
    threads: int | None = None,
    processes: bool | None = None,
) -> Solver:
    """A solver with its nets, ready to train.

    Args:
        path: the solver's prototxt.
        model: a net's prototxt to train in place of the one the solver names.
        settings: fields in place of what the files say: `base_lr=0.01`,
            `net.layer[conv1].convolution_param.num_output=32`.
        weights: files to copy weights from, in place of the solver's `weights`.
        keep: as for `load`.
        out: folder for snapshots, in place of that of the solver's `snapshot_prefix`.
        seed: in place of the solver's random_seed.
        threads: as for `load`.
        processes: as for `load`.

    Raises:
        NetdefError: a file has mistakes.
        SettingError: a setting has.
    """
    from netdef.run.solver import Solver
    from netdef.run.solver_file import snapshot_prefix, solver_message

    report = Report()
    document = read_solver(path, report)
    net = None if model is None else read_net(model, report)
    report.raise_if_errors()
    assert document is not None
    settings = list(settings)
    if settings:
        document, net = _with_settings(document, net, settings, report)
    if out is not None:
        # a slash at the end of the prefix, or a folder, stands for the solver's own name in it
        prefix = Path(out) / snapshot_prefix(document).name
        solver_message(document).snapshot_prefix = os.fspath(prefix)
    solver = Solver(
        document,
        model=net,
        seed=seed,
        threads=threads,
        weights=weights,
        keep=keep,
        processes=processes,
    )
    for problem in report:
        solver.report.add(problem)
    return solver


def _with_settings(
    document: Document, net: Document | None, settings: Iterable[str], report: Report
) -> tuple[Document, Document | None]:
    from netdef.api.settings import read_assignments, with_settings

    given = read_assignments(settings)
    document = with_settings(document, [a for a in given if not a.of_net])
    of_net = [a for a in given if a.of_net]
    if of_net:
        net = _net_with_settings(document, net, of_net, report)
    return document, net


def _net_with_settings(
    document: Document, net: Document | None, of_net: list[Assignment], report: Report
) -> Document | None:
    """The net that will be trained, changed; None where the solver names none."""
    from netdef.api.settings import with_settings
    from netdef.run.solver_file import find_file, solver_message, understand

    message = solver_message(document)
    if net is None and (message.net or message.train_net):
        net = read_net(find_file(message.net or message.train_net, document), report)
        report.raise_if_errors()
    if net is None:
        file = understand(document, report)  # a net in the solver's own text, or none at all
        report.raise_if_errors()
        assert file is not None
        net = file.train.document
    return with_settings(net, of_net)


def compile_file(
    path: StrPath,
    report: Report,
    state: State | None = None,
    *,
    looking: bool = True,
    strict: bool = False,
    input_shapes: dict[str, Shape] | None = None,
) -> GraphNet | None:
    """A net as the compiler sees it, for looking at; mistakes go to the report.

    Args:
        path: the prototxt.
        report: where mistakes go.
        state: phase, level and stages; None for TEST, or TRAIN where only that has data.
        looking: nothing is run, so that missing data is a warning.
        strict: refuse what Caffe refuses.
        input_shapes: shapes in place of those of the file, by blob name.

    Returns:
        The net as far as it is understood; None where there is no text.
    """
    document = read_net(path, report)
    if document is None:
        return None
    return compile_net(
        document,
        state or pick_state(document, None),
        report,
        looking=looking,
        strict=strict,
        input_shapes=input_shapes,
    )


def read(path: StrPath) -> Document:
    """A net as read.

    Raises:
        NetdefError: its text has mistakes.
    """
    report = Report()
    document = read_net(path, report)
    report.raise_if_errors()
    assert document is not None
    return document
