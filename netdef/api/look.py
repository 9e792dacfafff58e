"""Nets to look at: drawings and tables."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from netdef import view
from netdef.api.loading import StrPath, pick_state
from netdef.diag import Report
from netdef.graph import Net as GraphNet
from netdef.graph import compile_net
from netdef.layers.base import Phase
from netdef.schema.document import read_net, read_solver

if TYPE_CHECKING:
    from netdef.run.net import Net


def draw(
    net: Net | StrPath,
    *,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    format: str = "auto",
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    expand: Collection[str] = (),
    report: Report | None = None,
) -> str:
    """A net as a diagram in text.

    Args:
        net: a loaded net, or the path of a prototxt.
        phase: of a path's net; None for test, or for train where only that has data.
        level: of a path's net.
        stages: of a path's net.
        format: auto, rails, boxes, ascii, dot, mermaid, svg, html or json.
        width: columns to fit into; None for 80.
        color: use ANSI colours.
        unicode: False for plain ASCII lines.
        expand: names of folded blocks to show in full; "all" for all.
        report: takes the net's problems.

    Raises:
        NetdefError: the file cannot be read as a net. One with mistakes is drawn, with the
            mistakes at their layers.
    """
    report = Report() if report is None else report
    return view.draw(
        _graph(net, phase, level, stages, report),
        format=format,
        width=width,
        color=color,
        unicode=unicode,
        expand=expand,
        report=report,
    )


def summary(
    net: Net | StrPath,
    *,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    width: int | None = None,
    color: bool = False,
    report: Report | None = None,
) -> str:
    """A table of layers: type, output shape, parameters, MACs, memory; arguments as `draw`."""
    graph = _graph(net, phase, level, stages, Report() if report is None else report)
    return view.summary(graph, width=width, color=color)


def params(
    net: Net | StrPath,
    *,
    base_lr: float | None = None,
    phase: str | Phase | int | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    width: int | None = None,
    color: bool = False,
    report: Report | None = None,
) -> str:
    """A table of learned blobs: owner, sharers, shape, filler, multipliers.

    Args:
        net: a loaded net, or the path of a prototxt.
        base_lr: of a solver, for the rate each blob will train at.
        phase: None for train, or for test where only that has data.
        level: as in `draw`.
        stages: as in `draw`.
        width: as in `draw`.
        color: as in `draw`.
        report: as in `draw`.
    """
    report = Report() if report is None else report
    graph = _graph(net, phase, level, stages, report, first="train")
    return view.params(graph, solver=base_lr, width=width, color=color)


def _graph(
    net: Net | StrPath,
    phase: str | Phase | int | None,
    level: int,
    stages: Iterable[str],
    report: Report,
    first: str = "test",
) -> GraphNet:
    if not isinstance(net, str | os.PathLike):
        return net.graph
    document = read_net(net, report)
    if document is None:
        report.raise_if_errors()
    assert document is not None
    if not document.message.layer:  # type: ignore[union-attr]  # a net, not a solver
        report.raise_if_errors()  # a text of another kind: there is nothing to look at
    state = pick_state(document, phase, level, stages, first=first)
    return compile_net(document, state, report, looking=True)


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
