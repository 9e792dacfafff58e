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
@click.option(
    "--stat", is_flag=True, help="Also the values: min, max, mean, std, zeros, bad, a histogram."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--net", metavar="MODEL", help="Check the file against a net's prototxt.")
@click.option(
    "--solver", metavar="SOLVER", help="Name the slots of a state that does not, as Caffe's."
)
@click.pass_context
def inspect(
    ctx: click.Context,
    file: str,
    stat: bool,  # noqa: FBT001  click's signature
    as_json: bool,  # noqa: FBT001
    net: str | None,
    solver: str | None,
) -> None:
    """Show what a file of weights or a solver state holds.

    Takes .caffemodel, .solverstate, both as .h5, other HDF5 files, .npz, .safetensors, mean
    images and LMDBs; the kind is told by content. Of a solver state it tells what the arrays
    beside each weight are, and which numbers derive from the iteration.

      netdef inspect lenet_iter_500.caffemodel
      netdef inspect lenet_iter_500.solverstate --stat
      netdef inspect lenet.caffemodel --net model.prototxt
      netdef inspect caffes.solverstate --solver solver.prototxt
    """
    from netdef.api.contents import check_against
    from netdef.api.contents import inspect as look

    found = look(file, stat=stat, net=net, solver=solver)
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
    columns = {
        "name": table.Column("name", least=12),
        "role": table.Column("role"),
        "slot": table.Column("slot"),
        "note": table.Column("what", least=12),
        "shape": table.Column("shape"),
        "count": table.Column("count", right=True),
        "bytes": table.Column("size", right=True),
        "dtype": table.Column("type"),
        **{name: table.Column(name, right=True) for name in _NUMBERS},
        "histogram": table.Column("histogram"),
    }
    rows = [_row(entry) for entry in _by_param(found.entries)]
    lines: list[Any] = [[(f" {found.path}", "title"), (f": {found.kind}", "")]]
    width = max((len(key) for key in found.facts), default=0)
    lines += [[(f" {key:<{width}}  {value}", "")] for key, value in found.facts.items()]
    if rows:
        stat = any(entry.statistics for entry in found.entries)
        lines += table.lines(columns, rows, room, _DROP_WITH_STAT if stat else _DROP)
    total = f"{words.plural(len(rows), 'array')}, {words.plural(found.count, 'value')}"
    total += f", {words.size(found.bytes)} on disk"
    for text in (total, *found.notes):
        lines += [[(" " + part, "head")] for part in wrap(text, room - 1)]
    lines += _scalar_lines(found, room)
    for text, style in _fit_lines(fit):
        lines += [[(" " + part, style)] for part in wrap(text, room - 1)]
    text = palette.join(lines, color=terminal.colored(), unicode=terminal.unicode())
    click.echo(text, nl=False, color=True)


# Columns to leave out where the terminal is narrow, the first one first.
_DROP = ("dtype", "bytes", "count", "role", "note")
_DROP_WITH_STAT = ("dtype", "bytes", "count", "note", "role", "shape", "histogram", "std", "mean")
_NUMBERS = ("min", "max", "mean", "std", "zeros", "bad")
_BARS = "▁▂▃▄▅▆▇█"


def _by_param(entries: tuple[Entry, ...]) -> list[Entry]:
    """The slots of each param together; a state has the first of all, then the second of all."""
    order = {name: n for n, name in enumerate(dict.fromkeys(entry.name for entry in entries))}
    return sorted(entries, key=lambda entry: order[entry.name])


def _scalar_lines(found: Inspection, room: int) -> list[Any]:
    from netdef.view.cells import wrap

    if not found.scalars:
        return []
    step = found.facts.get("iteration", 0)
    lines = wrap(
        f"not in the file, for the iteration tells them (t = {int(step) + 1} at the next update):",
        room - 1,
    )
    values = [f"{value:.6g}" for _, value, _ in found.scalars]
    names = max(len(name) for name, *_ in found.scalars)
    wide = max(map(len, values))
    for (name, _, meaning), value in zip(found.scalars, values, strict=True):
        lines.append(f"  {name:<{names}} = {value:<{wide}}  {meaning}")
    return [[(" " + line, "head")] for line in lines]


def _fit_lines(fit: Fit | None) -> list[tuple[str, str]]:
    """What does not fit, what is not used, and how many layers fit, with a style each."""
    if fit is None:
        return []
    lines = [(text, "bad") for text in fit.misfits]
    lines += [(f"`{layer}` of the file is not in the net", "warn") for layer in fit.unused]
    return [*lines, (f"{fit.fitting} of {fit.wanted} {fit.what} fit", "title")]


def _row(entry: Entry) -> dict[str, str]:
    from netdef.view import words

    row = {
        "name": " " + entry.name,
        "role": entry.role,
        "slot": entry.slot,
        "note": entry.note,
        "shape": words.shape(entry.shape),
        "count": f"{entry.count:,}",
        "bytes": words.size(entry.bytes) if entry.bytes else "",
        "dtype": entry.dtype,
    }
    if entry.statistics is not None:
        s = entry.statistics
        row |= {name: f"{getattr(s, name):.3g}" for name in ("min", "max", "mean", "std")}
        row |= {"zeros": f"{s.zeros:,}", "bad": f"{s.non_finite:,}" if s.non_finite else "0"}
        row |= {"histogram": _bars(s.histogram)}
        row |= {"style": "bad"} if s.non_finite else {}
    return row


def _bars(counts: tuple[int, ...]) -> str:
    """A bar for each range from min to max; one that has any is not empty."""
    most = max(counts, default=0)
    last = len(_BARS) - 1
    return "".join(_BARS[-(-n * last // most)] if n else " " for n in counts)


def _object(found: Inspection, fit: Fit | None) -> dict[str, Any]:
    from dataclasses import asdict

    entries = []
    for entry in found.entries:
        about = asdict(entry) | {"shape": list(entry.shape), "count": entry.count}
        if about["statistics"] is not None:
            numbers = about["statistics"]
            histogram = numbers.pop("histogram")
            about["statistics"] = {k: _known(v) for k, v in numbers.items()}
            about["statistics"]["histogram"] = list(histogram)
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
        "scalars": [
            {"name": name, "value": value, "meaning": meaning}
            for name, value, meaning in found.scalars
        ],
    }
    return result if fit is None else result | {"against_net": asdict(fit)}


def _known(value: float) -> float | None:
    """JSON has no NaN and no infinities."""
    return value if isfinite(value) else None
