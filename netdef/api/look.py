"""Nets to look at: drawings and tables."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from netdef import view
from netdef.api.checking import relaxed
from netdef.api.loading import StrPath, pick_state
from netdef.diag import Report
from netdef.graph import Net as GraphNet
from netdef.graph import compile_net
from netdef.layers.base import Phase, Shape
from netdef.schema.document import read_net, read_solver

if TYPE_CHECKING:
    from netdef.run.net import Net


def draw(
    net: Net | StrPath,
    other: Net | StrPath | None = None,
    *,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    format: str = "auto",
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    expand: Collection[str] = (),
    depth: int | None = None,
    start: Collection[str] = (),
    end: Collection[str] = (),
    around: Collection[str] = (),
    input_shapes: dict[str, Shape] | None = None,
    allow_unknown: bool = False,
    report: Report | None = None,
) -> str:
    """A net as a diagram in text, or two nets as one with what was added, removed and changed.

    Args:
        net: a loaded net, or the path of a prototxt.
        other: a second net, to compare with the first.
        phase: of a path's net; None for test, or for train where only that has data.
        level: of a path's net.
        stages: of a path's net.
        format: auto, rails, boxes, ascii, dot, mermaid, svg, html or json.
        width: columns to fit into; None for 80.
        color: use ANSI colours.
        unicode: False for plain ASCII lines.
        expand: names of folded blocks to show in full; "all" for all.
        depth: parts of names that are shown; None folds only what repeats.
        start: names of layers: only what depends on them.
        end: names of layers: only what they depend on.
        around: names of layers: only what is at most two wires away.
        input_shapes: shapes of input blobs in place of those of the files or of their data.
        allow_unknown: unknown fields and layer types are warnings, as for nets of Caffe's forks.
        report: takes the nets' problems.

    Raises:
        NetdefError: the file cannot be read as a net. One with mistakes is drawn, with the
            mistakes at their layers.
        LookupError: the net has no layer or block of a name.
        ValueError: no such format or phase.
    """
    report = Report() if report is None else report
    last = Report()
    graphs = [
        _graph(
            net,
            phase,
            level,
            stages,
            report if other is not None else last,
            input_shapes=input_shapes,
            allow_unknown=allow_unknown,
        )
    ]
    if other is not None:
        graphs.append(
            _graph(
                other,
                phase,
                level,
                stages,
                last,
                input_shapes=input_shapes,
                allow_unknown=allow_unknown,
            )
        )
    for problem in last:
        report.add(problem)
    return view.draw(
        *graphs,
        format=format,
        width=width,
        color=color,
        unicode=unicode,
        expand=expand,
        depth=depth,
        start=start,
        end=end,
        around=around,
        report=last,
    )


def summary(
    net: Net | StrPath,
    *,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    format: str = "table",
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    receptive: bool = False,
    input_shapes: dict[str, Shape] | None = None,
    allow_unknown: bool = False,
    report: Report | None = None,
) -> str:
    """A table of layers: type, output shape, parameters, MACs, memory; arguments as `draw`.

    Args:
        net: a loaded net, or the path of a prototxt.
        phase: as in `draw`.
        level: as in `draw`.
        stages: as in `draw`.
        format: table, json or csv.
        width: as in `draw`, for a table.
        color: as in `draw`, for a table.
        unicode: as in `draw`, for a table.
        receptive: with receptive fields; json and csv always have them.
        input_shapes: as in `draw`.
        allow_unknown: as in `draw`.
        report: as in `draw`.
    """
    graph = _graph(
        net,
        phase,
        level,
        stages,
        Report() if report is None else report,
        input_shapes=input_shapes,
        allow_unknown=allow_unknown,
    )
    if format == "json":
        return view.summary_json(graph)
    if format == "csv":
        return view.summary_csv(graph)
    return view.summary(graph, width=width, color=color, unicode=unicode, receptive=receptive)


def params(
    net: Net | StrPath,
    *,
    base_lr: float | None = None,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    format: str = "table",
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    input_shapes: dict[str, Shape] | None = None,
    allow_unknown: bool = False,
    report: Report | None = None,
) -> str:
    """A table of learned blobs: owner, sharers, shape, filler, multipliers.

    Args:
        net: a loaded net, or the path of a prototxt.
        base_lr: of a solver, for the rate each blob will train at.
        phase: None for train, or for test where only that has data.
        level: as in `draw`.
        stages: as in `draw`.
        format: table, json or csv.
        width: as in `draw`, for a table.
        color: as in `draw`, for a table.
        unicode: as in `draw`, for a table.
        input_shapes: as in `draw`.
        allow_unknown: as in `draw`.
        report: as in `draw`.
    """
    report = Report() if report is None else report
    graph = _graph(
        net,
        phase,
        level,
        stages,
        report,
        first="train",
        input_shapes=input_shapes,
        allow_unknown=allow_unknown,
    )
    if format == "json":
        return view.params_json(graph, solver=base_lr)
    if format == "csv":
        return view.params_csv(graph, solver=base_lr)
    return view.params(graph, solver=base_lr, width=width, color=color, unicode=unicode)


def _graph(
    net: Net | StrPath,
    phase: str | Phase | int | None,
    level: int,
    stages: Iterable[str],
    report: Report,
    first: str = "test",
    input_shapes: dict[str, Shape] | None = None,
    *,
    allow_unknown: bool = False,
) -> GraphNet:
    if not isinstance(net, str | os.PathLike):
        return net.graph
    found = Report()
    document = read_net(net, found)
    if document is None or not document.message.layer:  # type: ignore[union-attr]  # a net
        report.extend(found)
        report.raise_if_errors()  # a text of another kind: there is nothing to look at
    assert document is not None
    state = pick_state(document, phase, level, stages, first=first)
    graph = compile_net(document, state, found, looking=True, input_shapes=input_shapes)
    report.extend(relaxed(found) if allow_unknown else found)
    return graph


def train_net_of(
    solver: StrPath, report: Report, *, look_for_net: bool = True
) -> tuple[str, float]:
    """The net that a solver names, and its base_lr.

    Args:
        solver: the solver's prototxt.
        report: takes its problems.
        look_for_net: whether the net's file must be named.

    Returns:
        Path of the net, "" where none was looked for; base_lr.

    Raises:
        NetdefError: the solver cannot be read, or names no file of a net.
    """
    from netdef.run.solver_file import find_file, solver_message, understand

    document = read_solver(solver, report)
    report.raise_if_errors()
    assert document is not None
    message = solver_message(document)
    name = message.net or message.train_net
    if look_for_net:
        understand(document, report)
        report.raise_if_errors()
    path = os.fspath(find_file(name, document)) if look_for_net and name else ""
    return path, message.base_lr
