"""`netdef diff`."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from netdef.cli import terminal
from netdef.cli.command import Command

if TYPE_CHECKING:
    from netdef.api.differences import Change, Difference

_NUMBERS = ("largest", "mean", "relative", "cosine")


@click.command(cls=Command, short_help="Show what changed between two snapshots or two nets.")
@click.argument("first")
@click.argument("second")
@click.option("--all", "everything", is_flag=True, help="Also what is the same.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything differs.")
@click.pass_context
def diff(
    ctx: click.Context,
    first: str,
    second: str,
    everything: bool,  # noqa: FBT001  click's signature
    as_json: bool,  # noqa: FBT001
    exit_code: bool,  # noqa: FBT001
) -> None:
    """Show what changed between two snapshots or two nets.

    Takes two models in any formats (.caffemodel, .h5, .npz, .safetensors), two solver states,
    two nets or two solvers. Of each array that changed: the largest and the mean difference of
    two values, the L2 norm of the differences over that of the first array, and the cosine.

      netdef diff lenet_iter_500.caffemodel lenet_iter_1000.caffemodel
      netdef diff old/model.prototxt new/model.prototxt
    """
    from netdef.api.differences import diff as compare

    found = compare(first, second)
    if as_json:
        click.echo(json.dumps(_object(found), indent=2, allow_nan=False))
    else:
        _show(found, everything=everything)
    ctx.exit(1 if exit_code and not found.same else 0)


def _show(found: Difference, *, everything: bool) -> None:
    from netdef.view import palette, table, words

    shown = [change for change in found.changes if everything or change.what != "same"]
    columns = {
        "name": table.Column(" name", least=12),
        "what": table.Column("what"),
        "before": table.Column("before", least=8),
        "after": table.Column("after", least=8),
        "largest": table.Column("max |Δ|", right=True),
        "mean": table.Column("mean |Δ|", right=True),
        "relative": table.Column("relative", right=True),
        "cosine": table.Column("cosine", right=True),
    }
    lines: list[Any] = [[(f" {found.first} → {found.second}: {found.kind}", "title")]]
    if shown:
        rows = [_row(change) for change in shown]
        lines += table.lines(columns, rows, terminal.columns(), ("cosine", "mean", "before"))
    same = sum(change.what == "same" for change in found.changes)
    if found.same:
        alike = words.plural(same, "array")
        text = f"nothing differs: {alike}, bit for bit" if same else "nothing differs"
    else:
        text = ", ".join(f"{n} {what}" for what, n in _counts(found).items())
    lines.append([(" " + text, "head")])
    output = palette.join(lines, color=terminal.colored(), unicode=terminal.unicode())
    click.echo(output, nl=False, color=True)


def _counts(found: Difference) -> dict[str, int]:
    counts: dict[str, int] = {}
    for change in found.changes:
        word = "of another shape" if change.what == "shape" else change.what
        counts[word] = counts.get(word, 0) + 1
    return counts


def _row(change: Change) -> dict[str, str]:
    numbers = {name: getattr(change, name) for name in _NUMBERS}
    style = {"removed": "bad", "shape": "bad", "added": "data"}.get(change.what, "")
    arrays = change.largest is not None
    return {
        "name": f" {change.name}",
        "what": change.what,
        "before": change.before,
        "after": "" if arrays else change.after,
        **{name: f"{value:.3g}" for name, value in numbers.items() if value is not None},
        "cosine": f"{change.cosine:.6f}" if change.cosine is not None else "",
        "style": style,
    }


def _object(found: Difference) -> dict[str, Any]:
    from dataclasses import asdict

    changes = []
    for change in found.changes:
        about = asdict(change)
        for name in _NUMBERS:
            value = about[name]
            about[name] = value if value is not None and isfinite(value) else None
        changes.append(about)
    return {
        "format_version": 1,
        "first": found.first,
        "second": found.second,
        "kind": found.kind,
        "same": found.same,
        "changes": changes,
    }
