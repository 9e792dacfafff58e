"""All mistakes of nets and solvers, without running anything of theirs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from netdef.api.loading import StrPath, has_sources
from netdef.diag import Problem, Report, Severity, Source
from netdef.graph import Net as GraphNet
from netdef.graph import State, compile_net
from netdef.graph.problems import UnknownBottom, UnknownLayerType
from netdef.layers.base import Phase, Shape
from netdef.schema.document import (
    Document,
    net_from_text,
    read_net,
    read_solver,
    solver_from_text,
)
from netdef.schema.sniff import Kind, kind_of_text
from netdef.text.problems import UnknownField


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a check is to look for.

    Attributes:
        strict: report as errors what Caffe refuses and netdef takes.
        states: in which states nets are checked.
        input_shapes: shapes of input blobs in place of those the file states.
        allow_unknown: unknown fields and layer types are warnings.
        lints: also look for what trains badly or was surely not meant.
        ignore: codes of warnings and notes to leave out.
    """

    strict: bool = False
    states: tuple[State, ...] = (State(Phase.TRAIN), State(Phase.TEST))
    input_shapes: dict[str, Shape] = field(default_factory=dict)
    allow_unknown: bool = False
    lints: bool = True
    ignore: frozenset[str] = frozenset()


def check(
    paths: StrPath | Iterable[StrPath],
    *,
    strict: bool = False,
    states: Iterable[State] = (State(Phase.TRAIN), State(Phase.TEST)),
    input_shapes: dict[str, Shape] | None = None,
    allow_unknown: bool = False,
    lints: bool = True,
    ignore: Collection[str] = (),
) -> Report:
    """Look for all mistakes in nets and solvers.

    Args:
        paths: one or more prototxt files; a solver's own net is checked with it.
        strict: report as errors what Caffe refuses and netdef takes.
        states: in which states nets are checked.
        input_shapes: shapes of input blobs in place of those the file states.
        allow_unknown: unknown fields and layer types are warnings, as for nets of Caffe's forks.
        lints: also look for what trains badly or was surely not meant, where there is no error.
        ignore: codes of warnings and notes to leave out: N701. Comments in the files do so too:
            `# netdef: ignore N701`.

    Returns:
        A report with all problems, each with code, severity, message, file, line, column, end
        and help; empty where all is well.
    """
    wanted = Wanted(
        strict,
        tuple(states),
        input_shapes or {},
        allow_unknown,
        lints,
        frozenset(code.upper() for code in ignore),
    )
    return check_files([paths] if isinstance(paths, str | os.PathLike) else paths, wanted)


def check_files(paths: Iterable[StrPath], wanted: Wanted) -> Report:
    """As `check`, with what is wanted in one piece."""
    report = Report()
    for path in paths:
        check_file(path, wanted, report)
    return _of_interest(report, wanted)


def check_file(path: StrPath, wanted: Wanted, report: Report, text: str | None = None) -> None:
    """Check one file.

    Args:
        path: of the file.
        wanted: what to look for.
        report: where problems go.
        text: what to check in place of what is in the file.
    """
    if is_solver(path) if text is None else kind_of_text(text) is Kind.SOLVER_TEXT:
        read, from_text, look = read_solver, solver_from_text, _check_solver
    else:
        read, from_text, look = read_net, net_from_text, _check_net_file
    found = Report()  # of this file only: errors of another are no reason to look less closely
    if text is None:
        document = read(path, found)
    else:
        document = replace(from_text(text, os.fspath(path), found), path=Path(path))
    unread = found.errors
    if document is not None:
        look(document, wanted, found)
    for problem in found:
        if problem in unread or not _follows(problem, unread):
            report.add(problem)


def _follows(problem: Problem, unread: tuple[Problem, ...]) -> bool:
    """Whether a problem is that something is missing which is there, and could not be read."""
    span = problem.span
    if span is None or not unread or problem.severity is not Severity.ERROR:
        return False
    if span.start == span.end == 0:
        return True  # missing from the file as a whole
    return any(
        span.source is cause.span.source and span.start <= cause.span.start < span.end
        for cause in unread
        if cause.span is not None
    )


def relaxed(report: Report) -> Report:
    """The same problems, with unknown fields and layer types as warnings."""
    new = Report()
    for problem in report:
        if isinstance(problem, UnknownField | UnknownLayerType):
            problem = replace(problem, severity=Severity.WARNING)
        new.add(problem)
    return new


def _of_interest(report: Report, wanted: Wanted) -> Report:
    """Each problem once: a net may be read by itself and for its solver; none that is ignored."""
    from netdef.lint.ignore import Ignored

    seen: dict[tuple[str, str, str], Problem] = {}
    comments: dict[Source, Ignored] = {}
    for problem in relaxed(report) if wanted.allow_unknown else report:
        if problem.severity is not Severity.ERROR:
            if problem.code in wanted.ignore:
                continue
            if problem.span is not None:
                source = problem.span.source
                if comments.setdefault(source, Ignored(source)).covers(problem):
                    continue
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


def _check_net_file(document: Document, wanted: Wanted, report: Report) -> None:
    _check_net(document, wanted.states, wanted, report)


def _check_net(
    document: Document, states: tuple[State, ...], wanted: Wanted, report: Report
) -> dict[State, GraphNet]:
    """Compile a net in each state; gives those without errors."""
    # a net written for one phase may lack its data in the other: not a mistake of the file,
    # unless something tries to run it there
    fed = {state: has_sources(document, state) for state in states}
    readable = _fine(report, wanted)
    good = {}
    for state in states:
        found = Report()
        net = compile_net(
            document,
            state,
            found,
            looking=True,
            strict=wanted.strict,
            input_shapes=wanted.input_shapes,
        )
        if readable and _fine(found, wanted):
            good[state] = net
            if wanted.lints:
                from netdef.lint import lint_net

                lint_net(net, found)
        for problem in found:
            if isinstance(problem, UnknownBottom) and not fed[state] and any(fed.values()):
                continue
            report.add(problem)
    return good


def _fine(report: Report, wanted: Wanted) -> bool:
    return (relaxed(report) if wanted.allow_unknown else report).ok


def _check_solver(document: Document, wanted: Wanted, report: Report) -> None:
    from netdef.run.solver_file import understand

    readable = _fine(report, wanted)
    file = understand(document, report)
    train: GraphNet | None = None
    tests = []
    if file is not None:
        nets = (file.train, *file.tests)
        for index, net in enumerate(nets):
            found = Report()
            good = _check_net(net.document, (net.state,), wanted, found).get(net.state)
            report.extend(found)
            if index == 0:
                train = good
            elif good is not None:
                tests.append(good)
        if len(tests) < len(file.tests):
            tests = []  # test_iter counts them
    if wanted.lints and readable:
        from netdef.lint import SolverLook, lint_solver

        lint_solver(SolverLook(document, train, tuple(tests)), report)
