"""`netdef inspect`."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from netdef.cli import terminal
from netdef.cli.command import Command

if TYPE_CHECKING:
    from netdef.api.contents import Entry, Fit, Inspection


@click.command(cls=Command, short_help="Show what a file of weights or a solver state holds.")
@click.argument("file")
@click.option("--stat", is_flag=True, help="Also the values: min, max, mean, std, zeros, bad.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--net", metavar="MODEL", help="Check the weights against a net's prototxt.")
@click.pass_context
def inspect(
    ctx: click.Context,
    file: str,
    stat: bool,  # noqa: FBT001  click's signature
    as_json: bool,  # noqa: FBT001
    net: str | None,
) -> None:
    """Show what a file of weights or a solver state holds.

    Takes .caffemodel, .solverstate, both as .h5, other HDF5 files, .npz, .safetensors, mean
    images and LMDBs; the kind is told by content.

      netdef inspect lenet_iter_500.caffemodel
      netdef inspect lenet_iter_500.solverstate --stat
      netdef inspect lenet.caffemodel --net model.prototxt
    """
    from netdef.api.contents import check_against
    from netdef.api.contents import inspect as look

    found = look(file, stat=stat)
    fit = check_against(found, net) if net is not None else None
    if as_json:
        click.echo(json.dumps(_object(found, fit), indent=2, allow_nan=False))
    else:
        _show(found, fit)
    ctx.exit(1 if fit is not None and fit.misfits else 0)


def _show(found: Inspection, fit: Fit | None) -> None:
    from netdef.view import palette, table, words
    from netdef.view.cells import wrap

    room = terminal.columns()
    stat = any(entry.statistics for entry in found.entries)
    columns = {
        "name": table.Column("name", least=12),
        "note": table.Column("what", least=12),
        "shape": table.Column("shape"),
        "count": table.Column("count", right=True),
        "dtype": table.Column("type"),
        **{
            name: table.Column(name, right=True)
            for name in ("min", "max", "mean", "std", "zeros", "bad")
            if stat
        },
    }
    rows = [_row(entry) for entry in found.entries]
    lines: list[Any] = [[(f" {found.path}", "title"), (f": {found.kind}", "")]]
    width = max((len(key) for key in found.facts), default=0)
    lines += [[(f" {key:<{width}}  {value}", "")] for key, value in found.facts.items()]
    if rows:
        lines += table.lines(columns, rows, room, ("dtype", "count", "note", "std", "mean"))
    total = f"{words.plural(len(rows), 'array')}, {words.plural(found.count, 'value')}"
    total += f", {words.size(found.bytes)} on disk"
    for text in (total, *found.notes):
        lines += [[(" " + part, "head")] for part in wrap(text, room - 1)]
    for text, style in _fit_lines(fit):
        lines += [[(" " + part, style)] for part in wrap(text, room - 1)]
    text = palette.join(lines, color=terminal.colored(), unicode=terminal.unicode())
    click.echo(text, nl=False, color=True)


def _fit_lines(fit: Fit | None) -> list[tuple[str, str]]:
    """What does not fit, what is not used, and how many layers fit, with a style each."""
    if fit is None:
        return []
    lines = [(text, "bad") for text in fit.misfits]
    lines += [(f"`{layer}` of the file is not in the net", "warn") for layer in fit.unused]
    return [*lines, (f"{fit.fitting} of {fit.wanted} layers with weights fit", "title")]


def _row(entry: Entry) -> dict[str, str]:
    from netdef.view import words

    row = {
        "name": " " + entry.name,
        "note": entry.note,
        "shape": words.shape(entry.shape),
        "count": f"{entry.count:,}",
        "dtype": entry.dtype,
    }
    if entry.statistics is not None:
        s = entry.statistics
        row |= {name: f"{getattr(s, name):.4g}" for name in ("min", "max", "mean", "std")}
        row |= {"zeros": f"{s.zeros:,}", "bad": f"{s.non_finite:,}" if s.non_finite else "0"}
        row |= {"style": "bad"} if s.non_finite else {}
    return row


def _object(found: Inspection, fit: Fit | None) -> dict[str, Any]:
    from dataclasses import asdict

    entries = []
    for entry in found.entries:
        about = asdict(entry) | {"shape": list(entry.shape), "count": entry.count}
        if about["statistics"] is not None:
            about["statistics"] = {k: _known(v) for k, v in about["statistics"].items()}
        entries.append(about)
    result: dict[str, Any] = {
        "format_version": 1,
        "path": found.path,
        "kind": found.kind,
        "bytes": found.bytes,
        "facts": found.facts,
        "count": found.count,
        "entries": entries,
        "notes": list(found.notes),
    }
    return result if fit is None else result | {"against_net": asdict(fit)}


def _known(value: float) -> float | None:
    """JSON has no NaN and no infinities."""
    return value if isfinite(value) else None
