"""The learned blobs of a net as a table: who owns and shares them, how they start and train."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Protocol

from netdef.view import palette, table, words
from netdef.view.cells import Line, clip_line, wrap

if TYPE_CHECKING:
    from netdef.graph import Net, Param, Use
    from netdef.layers.base import Shape
    from netdef.layers.filler import Filler

_COLUMNS = {
    "name": table.Column("param", least=8),
    "layer": table.Column("layer", least=8),
    "role": table.Column("role"),
    "shape": table.Column("shape", least=8),
    "count": table.Column("count", right=True),
    "filler": table.Column("filler", least=8),
    "std": table.Column("std", right=True),
    "lr_mult": table.Column("lr_mult", right=True),
    "decay_mult": table.Column("decay_mult", right=True),
    "rate": table.Column("rate", right=True),
}
_DROP = ("decay_mult", "role", "std", "count", "filler", "shape")


class Rated(Protocol):
    """What has a base_lr, such as a SolverParameter."""

    @property
    def base_lr(self) -> float:
        """The rate that every lr_mult multiplies."""


@dataclass(frozen=True, slots=True)
class UseRow:
    """One layer's use of a param, with the multipliers that hold for it.

    `scale` is what its gradient counts: its lr_mult over the greatest of the param's uses.
    """

    layer: str
    lr_mult: float
    decay_mult: float
    scale: float


@dataclass(frozen=True, slots=True)
class ParamRow:
    """A learned blob.

    Attributes:
        name: of its `param` block; `conv1[0]` for one without.
        layer: that owns it.
        role: "weight", "bias", …
        uses: the owner's first.
        shape: Caffe's.
        count: values in it.
        filler: its type and settings.
        std: standard deviation that the filler gives.
        lr_mult: the greatest of the uses'.
        rate: base_lr times lr_mult; None without a base_lr.
        frozen: no solver changes it.
        statistic: its layer keeps it up to date by itself.
    """

    name: str
    layer: str
    role: str
    uses: tuple[UseRow, ...]
    shape: Shape
    count: int
    filler: str
    std: float
    lr_mult: float
    rate: float | None
    frozen: bool
    statistic: bool


def params_rows(net: Net, *, solver: Rated | float | None = None) -> list[ParamRow]:
    """A row for each learned blob, in the order of their owners.

    Args:
        net: compiled.
        solver: its base_lr, or what has one; None where no rate is known.
    """
    base = solver if isinstance(solver, int | float) or solver is None else solver.base_lr
    return [_row(net, param, base) for param in net.params]


def _row(net: Net, param: Param, base: float | None) -> ParamRow:
    owner = net.nodes[param.owner.node].name
    return ParamRow(
        param.name or f"{owner}[{param.owner.index}]",
        owner,
        param.role,
        tuple(
            UseRow(net.nodes[u.node].name, u.lr_mult, _decay(net, param, u), u.scale)
            for u in param.uses
        ),
        param.shape,
        prod(param.shape),
        _filler(param.filler),
        param.filler.spread(param.shape),
        param.lr_mult,
        None if base is None else base * param.lr_mult,
        not param.learns,
        param.statistic,
    )


def _decay(net: Net, param: Param, use: Use) -> float:
    specs = net.nodes[use.node].message.param
    if use.index < len(specs) and specs[use.index].HasField("decay_mult"):
        return specs[use.index].decay_mult
    return param.decay_mult


def _filler(filler: Filler) -> str:
    match filler.type:
        case "constant":
            return f"constant {filler.value:g}"
        case "uniform":
            return f"uniform {filler.min:g}…{filler.max:g}"
        case "gaussian":
            mean = f" mean {filler.mean:g}" if filler.mean else ""
            sparse = f" sparse {filler.sparse}" if filler.sparse >= 0 else ""
            return f"gaussian{mean}{sparse}"
        case "xavier" | "msra" if filler.variance_norm != "FAN_IN":
            return f"{filler.type} {filler.variance_norm.lower()}"
        case _:
            return filler.type


def params(
    net: Net,
    *,
    solver: Rated | float | None = None,
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """The table as text: a line for each learned blob, and one for each further use of it.

    Args:
        net: compiled.
        solver: its base_lr, or what has one, for the rate that each param trains at.
        width: cells of a line, at least 40; None for 80.
        color: with ANSI colours.
        unicode: False writes ASCII characters only.
    """
    room = max(width or 80, 40)
    rows = params_rows(net, solver=solver)
    cells: list[dict[str, str]] = []
    for row in rows:
        rate = "" if row.rate is None else f"{row.rate:.6g}"
        if row.frozen:
            rate = "kept" if row.statistic else "frozen"
        for number, use in enumerate(row.uses):
            first = number == 0
            cell = {
                "name": row.name if first else " also in",
                "layer": use.layer,
                "lr_mult": "" if row.statistic else f"{use.lr_mult:g}",
                "decay_mult": "" if row.statistic else f"{use.decay_mult:g}",
                "style": "dim" if row.frozen or not first else "",
            }
            if first:
                cell |= {
                    "role": row.role,
                    "shape": words.shape(row.shape),
                    "count": f"{row.count:,}",
                    "filler": row.filler,
                    "std": f"{row.std:.3g}",
                    "rate": rate,
                }
            cells.append(cell)
    if not unicode:
        cells = [{name: words.ascii(text) for name, text in cell.items()} for cell in cells]
    lines: list[Line] = [[(f" {net.name or 'net'} ({net.state})", "title")]]
    lines += table.lines(_COLUMNS, cells, room, _DROP) if cells else []
    lines += [[(" " + text, "head")] for text in wrap(_totals(rows), room - 1)]
    clipped = [clip_line(line, room) for line in lines]
    return palette.join(clipped, color=color, unicode=unicode)


def params_json(net: Net, *, solver: Rated | float | None = None) -> str:
    """The rows as JSON."""
    rows = [asdict(row) for row in params_rows(net, solver=solver)]
    return json.dumps({"name": net.name, "params": rows}, indent=2, ensure_ascii=False) + "\n"


def params_csv(net: Net, *, solver: Rated | float | None = None) -> str:
    """Comma-separated values, with a heading: a line for each use of each param."""
    text = io.StringIO()
    names = [f.name for f in fields(ParamRow) if f.name != "uses"]
    uses = ["user", "use_lr_mult", "use_decay_mult", "use_scale"]
    writer = csv.DictWriter(text, names + uses, lineterminator="\n")
    writer.writeheader()
    for row in params_rows(net, solver=solver):
        plain = {name: getattr(row, name) for name in names}
        plain["shape"] = "x".join(map(str, row.shape))
        for use in row.uses:
            told = (use.layer, use.lr_mult, use.decay_mult, use.scale)
            writer.writerow(plain | dict(zip(uses, told, strict=True)))
    return text.getvalue()


def _totals(rows: list[ParamRow]) -> str:
    if not rows:
        return "no learned blobs"
    total = sum(row.count for row in rows)
    text = f"{words.plural(len(rows), 'learned blob')}, {words.plural(total, 'value')}"
    learning = sum(row.count for row in rows if not row.frozen)
    text += "" if learning == total else f", {learning:,} of them learn"
    if any(row.statistic for row in rows):
        text += "; kept: its layer updates it, no solver does"
    if any(len({use.lr_mult for use in row.uses}) > 1 for row in rows):
        text += "; where uses differ in lr_mult, each one's gradient counts lr_mult / the greatest"
    return text
