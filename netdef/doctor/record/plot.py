"""Curves of one training or of several side by side: in a terminal, or as PNG or SVG."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from netdef.diag import NetdefError
from netdef.doctor.record.problems import NotRecorded
from netdef.doctor.record.runs import Point, Run
from netdef.view.curve import curve

_PANELS = ("loss", "score", "rate", "gradient", "update", "dead")
_TITLES = {
    "loss": "loss",
    "score": "scores",
    "rate": "learning rate",
    "gradient": "size of gradients, by layer",
    "update": "updates beside weights, by layer",
    "dead": "share of dead units, by layer",
}


def panel_of(name: str) -> str:
    """Which of the panels a curve belongs to."""
    head, _, tail = name.partition("/")
    if head in ("gradient", "update", "dead"):
        return head
    if tail == "lr":
        return "rate"
    return "loss" if "loss" in tail or tail == "smoothed" else "score"


def panels(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Names of the curves of each panel, over all runs."""
    names = dict.fromkeys(name for run in runs for name in run.curves)
    found = {panel: [n for n in names if panel_of(n) == panel] for panel in _PANELS}
    smoothed = "train/smoothed"
    if smoothed in found["loss"]:  # the loss itself is a band of noise around it
        found["loss"] = [n for n in found["loss"] if n != "train/loss"]
    return {panel: names for panel, names in found.items() if names}


def text(
    runs: Sequence[Run], columns: int = 100, *, unicode: bool = True, all_layers: bool = False
) -> str:
    """The curves as text.

    Args:
        runs: side by side.
        columns: of the terminal.
        unicode: False for ASCII.
        all_layers: also those of every layer, which only an image has room for.
    """
    lines: list[str] = []
    gap = 3
    wide = max(24, (columns - gap * (len(runs) - 1)) // len(runs))
    for panel, names in panels(runs).items():
        if panel in ("gradient", "update", "dead") and not all_layers:
            lines += _table(runs, panel, names, columns)
            continue
        for name in names:
            blocks = [_block(run, name, wide, unicode=unicode) for run in runs]
            height = max(len(block) for block in blocks)
            for row in range(height):
                cells = [b[row] if row < len(b) else "" for b in blocks]
                lines.append((" " * gap).join(cell.ljust(wide) for cell in cells).rstrip())
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _block(run: Run, name: str, wide: int, *, unicode: bool) -> list[str]:
    """One curve with its heading."""
    points = run.curves.get(name, [])
    if not points:
        return [f"{name}: not in {run.name}"[:wide]]
    values = resample(points, max(8, wide - 12))
    last = points[-1]
    best = [v for _, v in points if isfinite(v)]
    span = f"least {min(best):.4g}, most {max(best):.4g}, " if best else ""
    head = f"{name}  {span}last {last[1]:.4g} at {last[0]:,}"
    return [_short(run.name, wide), head[:wide], *curve(values, unicode=unicode)]


def _short(name: str, wide: int) -> str:
    return name if len(name) <= wide else "…" + name[-(wide - 1) :]


def _table(runs: Sequence[Run], panel: str, names: Iterable[str], columns: int) -> list[str]:
    """First and last value of each layer's curve."""
    lines = [f"{_TITLES[panel]}: first -> last"]
    for name in names:
        cells = []
        for run in runs:
            points = run.curves.get(name)
            cells.append(f"{points[0][1]:.3g} -> {points[-1][1]:.3g}" if points else "-")
        label = name.partition("/")[2]
        lines.append(f"  {label:<32}" + "".join(f"{cell:<26}" for cell in cells))
        lines[-1] = lines[-1].rstrip()[:columns]
    return [*lines, ""]


def resample(points: Sequence[Point], cells: int) -> list[float]:
    """Means of the values in as many equal stretches of iterations as there are cells."""
    cells = min(cells, len(points))
    first, last = points[0][0], points[-1][0]
    span = max(1, last - first + 1)
    sums, counts = [0.0] * cells, [0] * cells
    for step, value in points:
        cell = min(cells - 1, max(0, (step - first) * cells // span))
        if isfinite(value):
            sums[cell] += value
            counts[cell] += 1
    nan = float("nan")
    return [s / c if c else nan for s, c in zip(sums, counts, strict=True)]


def image(runs: Sequence[Run], path: str | os.PathLike[str]) -> None:
    """Write the curves as an image; its name's end says which kind: .png, .svg, .pdf.

    Raises:
        NetdefError: matplotlib is not there, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NetdefError(
            NotRecorded(
                "images of curves are drawn by matplotlib, which is not installed",
                help="pip install 'netdef-prototxt[plot]'",
            )
        ) from error
    found = panels(runs)
    figure: Any = Figure(figsize=(7, 2.6 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 1, squeeze=False, sharex=True)[:, 0]
    for axis, (panel, names) in zip(axes, found.items(), strict=True):
        for number, run in enumerate(runs):
            for name in names:
                points = [(s, v) for s, v in run.curves.get(name, []) if isfinite(v)]
                if points:
                    label = name if len(runs) == 1 else f"{run.name}: {name}"
                    style = ("-", "--", ":", "-.")[number % 4]
                    axis.plot(*zip(*points, strict=True), style, label=label, linewidth=1.2)
        axis.set_title(_TITLES[panel], loc="left", fontsize=10)
        positive = all(v > 0 for run in runs for n in names for _, v in run.curves.get(n, []))
        if panel in ("gradient", "update") and positive:
            axis.set_yscale("log")
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=6, loc="best")
    axes[-1].set_xlabel("iteration")
    try:
        figure.savefig(os.fspath(path), dpi=130)
    except (OSError, ValueError) as error:
        raise NetdefError(NotRecorded(f"`{path}` cannot be written: {error}")) from error
