"""All mistakes of nets and solvers, without running anything of theirs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from netdef.api.loading import StrPath, has_sources
from netdef.diag import Problem, Report
from netdef.graph import State, compile_net
from netdef.graph.problems import UnknownBottom
from netdef.layers.base import Phase, Shape
from netdef.schema.document import Document, read_net, read_solver
from netdef.schema.sniff import Kind, kind_of_text


def check(
    paths: StrPath | Iterable[StrPath],
    *,
    strict: bool = False,
    states: Iterable[State] = (State(Phase.TRAIN), State(Phase.TEST)),
    input_shapes: dict[str, Shape] | None = None,
) -> Report:
    """Look for all mistakes in nets and solvers.

    Args:
        paths: one or more prototxt files; a solver's own net is checked with it.
        strict: report as errors what Caffe refuses and netdef takes.
        states: in which states nets are checked.
        input_shapes: shapes of input blobs in place of those the file states.

    Returns:
        A report with all problems, each with code, severity, message, file, line, column, end
        and help; empty where all is well.
    """
    report = Report()
    many = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    states = tuple(states)
    for path in many:
        if is_solver(path):
            _check_solver(path, report, strict=strict)
        else:
            document = read_net(path, report)
            if document is not None:
                _check_net(document, states, report, strict=strict, input_shapes=input_shapes)
    return _without_repeats(report)


def _without_repeats(report: Report) -> Report:
    """Each problem once: a net may be read by itself and for its solver."""
    seen: dict[tuple[str, str, str], Problem] = {}
    for problem in report:
        seen.setdefault((problem.code, str(problem.span), problem.message), problem)
    single = Report()
    for problem in seen.values():
        single.add(problem)
    return single


def is_solver(path: StrPath) -> bool:
    """Whether a file's top-level fields are a solver's; False where it cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False
    return kind_of_text(text) is Kind.SOLVER_TEXT


def _check_net(
    document: Document,
    states: tuple[State, ...],
    report: Report,
    *,
    strict: bool,
    input_shapes: dict[str, Shape] | None = None,
) -> None:
    # a net written for one phase may lack its data in the other: not a mistake of the file,
    # unless something tries to run it there
    fed = {state: has_sources(document, state) for state in states}
    for state in states:
        found = Report()
        compile_net(
            document,
            state,
            found,
            looking=True,
            strict=strict,
            input_shapes=input_shapes,
        )
        for problem in found:
            if isinstance(problem, UnknownBottom) and not fed[state] and any(fed.values()):
                continue
            report.add(problem)


def _check_solver(path: StrPath, report: Report, *, strict: bool) -> None:
    from netdef.run.solver_file import understand

    document = read_solver(path, report)
    file = None if document is None else understand(document, report)
    for net in () if file is None else (file.train, *file.tests):
        _check_net(net.document, (net.state,), report, strict=strict)
