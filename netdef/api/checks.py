"""What a careful person does by hand: gradients checked, rates tried, curves looked at."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from netdef.api.diagnosing import Diagnosis, diagnose

if TYPE_CHECKING:
    from netdef.doctor.figures import Figures, ParamFigures
    from netdef.doctor.gradcheck import Checked
    from netdef.doctor.ranging import Range
    from netdef.doctor.spread import Spread
    from netdef.layers.base import Phase

StrPath = str | os.PathLike[str]


def diagnose_files(
    solver: StrPath,
    model: StrPath | None = None,
    *,
    weights: Sequence[StrPath] | None = None,
    iterations: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
) -> Diagnosis:
    """As `diagnose`, from files.

    Raises:
        NetdefError: a file has mistakes, or data is at fault.
    """
    from netdef.api.loading import load_solver

    loaded = load_solver(solver, model, weights=weights, keep="outputs", seed=seed, threads=threads)
    return diagnose(loaded, iterations)


def gradcheck(
    model: StrPath,
    weights: Iterable[StrPath] = (),
    *,
    seed: int = 0,
    phase: str | Phase | int = "train",
    level: int = 0,
    stages: Iterable[str] = (),
) -> Iterator[Checked]:
    """Compare the gradients of each layer with numbers.

    Args:
        model: a net's prototxt.
        weights: files to copy weights from.
        seed: of fillers and of the directions that are tried.
        phase: as for `load`, like what follows.
        level: decides which layers the net has.
        stages: decide which layers the net has.

    Raises:
        NetdefError: the file has mistakes, or data is at fault.
    """
    from netdef.api.loading import load
    from netdef.doctor.gradcheck import check_gradients

    net = load(model, None, phase, level, stages, seed=seed, threads=1, exact=True, fast=False)
    for name in weights:
        net.copy_from(name)
    yield from check_gradients(net, seed)


def lr_range(
    solver: StrPath,
    model: StrPath | None = None,
    *,
    weights: Sequence[StrPath] | None = None,
    iterations: int = 100,
    low: float = 1e-6,
    high: float = 10.0,
    seed: int | None = None,
    threads: int | None = None,
) -> Range:
    """Find a learning rate by trying; see `netdef.doctor.ranging`.

    Raises:
        NetdefError: a file has mistakes, or data is at fault.
    """
    from netdef.api.loading import load_solver
    from netdef.doctor.ranging import try_rates

    loaded = load_solver(solver, model, weights=weights, keep="outputs", seed=seed, threads=threads)
    return try_rates(loaded, iterations, low, high)


def plot(
    runs: Sequence[StrPath],
    *,
    out: StrPath | None = None,
    columns: int = 100,
    unicode: bool = True,
    all_layers: bool = False,
) -> str:
    """Plot the curves of trainings.

    Args:
        runs: files or folders that trainings left.
        out: an image to write in place of text.
        columns: of the text.
        unicode: False for ASCII.
        all_layers: also a curve for every layer.

    Returns:
        The text; with `out`, a line that says what was written.

    Raises:
        NetdefError: a run cannot be read, or the image not be written.
    """
    from netdef.doctor.record import plot as drawing
    from netdef.doctor.record.runs import read_run

    found = [read_run(run) for run in runs]
    if out is not None:
        drawing.image(found, out)
        return f"wrote {os.fspath(out)}\n"
    return drawing.text(found, columns, unicode=unicode, all_layers=all_layers)


def table(figures: Figures) -> str:
    """The figures, a line for each layer and param."""
    head = f"{'layer':<18}{'':<22}{'size':>10}{'spread':>10}{'gradient':>10}{'update/w':>10}  "
    lines = [head.rstrip()]
    for blob in figures.blobs:
        words = ""
        if blob.dead is not None and blob.units:
            words = f"{blob.dead} of {blob.units} dead"
        elif blob.saturated is not None:
            words = f"{100 * blob.saturated:.0f} % at the limits"
        lines.append(_row(blob.layer, f"{blob.type} {blob.blob}", blob.data, blob.gradient, words))
        for param in figures.params:
            if param.node == blob.node and blob.blob == _first_top(figures, blob.node):
                lines.append(_param_row(param))
    if figures.losses:
        chance = figures.chance
        beside = f", chance {chance.value:.4g} ({chance.words})" if chance else ""
        lines.append(
            f"loss {figures.losses[0]:.4g}{beside}; after {len(figures.losses)} iterations "
            f"{figures.losses[-1]:.4g}"
        )
    return "\n".join(lines)


def _first_top(figures: Figures, node: int) -> str:
    net = figures.net
    return net.blobs[net.nodes[node].tops[0]].name


def _row(name: str, what: str, data: Spread, gradient: Spread, words: str) -> str:
    cells = f"{_short(data.rms):>10}{_short(data.std):>10}{_short(gradient.std):>10}"
    return f"{name[:17]:<18}{what[:21]:<22}{cells}{'':>10}  {words}".rstrip()


def _param_row(param: ParamFigures) -> str:
    frozen = "" if param.learns else "does not learn"
    cells = f"{_short(param.data.rms):>10}{_short(param.data.std):>10}"
    cells += f"{_short(param.gradient.std):>10}{_short(param.ratio):>10}"
    return f"{'':<18}{'  ' + param.role:<22}{cells}  {frozen}".rstrip()


def _short(value: float) -> str:
    return f"{value:.2g}" if isfinite(value) else "-"


def as_json(found: Diagnosis) -> str:
    """Figures and findings as JSON; what is not finite is null."""
    figures = found.figures
    about = {
        "losses": figures.losses,
        "rate": figures.rate,
        "chance": None if figures.chance is None else figures.chance.value,
        "blobs": [
            {
                "layer": b.layer,
                "type": b.type,
                "blob": b.blob,
                "data": _spread(b.data),
                "gradient": _spread(b.gradient),
                "units": b.units,
                "dead": b.dead,
                "saturated": b.saturated,
            }
            for b in figures.blobs
        ],
        "params": [
            {
                "layer": p.layer,
                "role": p.role,
                "learns": p.learns,
                "data": _spread(p.data),
                "gradient": _spread(p.gradient),
                "update_ratio": p.ratio,
            }
            for p in figures.params
        ],
        "findings": [
            {
                "code": p.code,
                "severity": p.severity.value,
                "message": p.message,
                "file": p.file,
                "line": p.line,
                "column": p.column,
                "evidence": list(p.notes),
                "help": p.help,
            }
            for p in found.findings
        ],
    }
    return json.dumps(_plain(about), indent=2)


def _spread(found: Spread) -> dict[str, float]:
    return {"size": found.size, "rms": found.rms, "std": found.std, "mean": found.mean}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
