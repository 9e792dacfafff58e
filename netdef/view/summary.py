"""The layers of a net as a table: type, shapes, params, work, memory."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from math import inf, prod
from typing import TYPE_CHECKING, Any

from netdef.view import palette, table, words
from netdef.view.cells import Line, clip_line, wrap

if TYPE_CHECKING:
    from netdef.graph import Net, Node
    from netdef.layers.base import Shape

_VALUE_BYTES = 4  # float32

_COLUMNS = {
    "name": table.Column("layer", least=10),
    "type": table.Column("type", least=8),
    "output": table.Column("output", least=6),
    "params": table.Column("params", right=True),
    "macs": table.Column("MACs", right=True),
    "sees": table.Column("sees", right=True),
    "bytes": table.Column("data", right=True),
    "diff": table.Column("diff", right=True),
}
_DROP = ("diff", "bytes", "macs", "params", "sees")

CONVENTION = (
    "MACs: one for each product that is added up in a forward pass of the whole batch; "
    "biases, pooling, norms and activations count nothing; twice as many FLOPs"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A layer of the table.

    Attributes:
        name: of the layer.
        type: Caffe's word.
        settings: those that matter.
        outputs: shape of each top; None where unknown.
        params: learned values it owns; statistics, such as BatchNorm's, are not among them.
        shared: learned values it uses and another layer owns.
        macs: multiply-accumulates of one forward pass of the whole batch; None where unknown.
            One for each product that is added up: biases, pooling and the like count nothing.
        bytes: of the values of its tops as float32; a top in place takes no memory of its own.
        diff_bytes: of the gradients of its tops, where the net computes them.
        in_place: its top is its bottom, changed.
        sees: the receptive field of its first top, along each spatial axis; None where unknown,
            infinite for all of the input.
    """

    name: str
    type: str
    settings: str
    outputs: tuple[Shape | None, ...]
    params: int
    shared: int
    macs: int | None
    bytes: int
    diff_bytes: int
    in_place: bool
    sees: tuple[float, ...] | None = None


def summary_rows(net: Net) -> list[Row]:
    """A row for each layer, in the order of the net."""
    from netdef.view import receptive

    found = receptive.fields(net)
    rows = []
    for index, node in enumerate(net.nodes):
        field = found[node.tops[0]] if node.tops else None
        rows.append(_row(net, index, node, field.size if field is not None else None))
    return rows


def _row(net: Net, index: int, node: Node, sees: tuple[float, ...] | None) -> Row:
    bottoms, tops = net.bottom_shapes(node), net.top_shapes(node)
    macs = None
    if node.layer is not None and bottoms is not None and tops is not None:
        macs = node.layer.macs(bottoms, tops)
    own = shared = 0
    for number in node.params:
        param = net.params[number]
        if param.statistic:
            continue
        mine = param.owner.node == index
        own, shared = own + prod(param.shape) * mine, shared + prod(param.shape) * (not mine)
    blobs = [net.blobs[top] for top in node.tops]
    names = {net.blobs[b].name for b in node.bottoms if b is not None}
    new = [blob for blob in blobs if blob.name not in names]
    sizes = [(_VALUE_BYTES * prod(b.shape), b.backward) for b in new if b.shape is not None]
    return Row(
        node.name,
        node.type,
        words.settings(node),
        tuple(blob.shape for blob in blobs),
        own,
        shared,
        macs,
        sum(size for size, _ in sizes),
        sum(size for size, backward in sizes if backward),
        bool(blobs) and not new,
        sees,
    )


def summary(
    net: Net,
    *,
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    receptive: bool = False,
) -> str:
    """The table as text, with totals.

    Args:
        net: compiled; what is unknown in it is shown as `?`.
        width: cells of a line, at least 40; None for 80.
        color: with ANSI colours.
        unicode: False writes ASCII characters only.
        receptive: with a column that tells how much of the input each layer's values depend on.
    """
    room = max(width or 80, 40)
    rows = summary_rows(net)
    cells = [_cells(row, receptive=receptive) for row in rows]
    if not unicode:
        cells = [{name: words.ascii(text) for name, text in cell.items()} for cell in cells]
    lines: list[Line] = [[(f" {net.name or 'net'} ({net.state})", "title")]]
    lines += table.lines(_COLUMNS, cells, room, _DROP)
    texts = [_totals(net, rows), CONVENTION]
    lines += [[(" " + line, "head")] for text in texts for line in wrap(text, room - 1)]
    clipped = [clip_line(line, room) for line in lines]
    return palette.join(clipped, color=color, unicode=unicode)


def _cells(row: Row, *, receptive: bool) -> dict[str, str]:
    return {
        "name": row.name,
        "type": f"{row.type} {row.settings}".strip() or "?",
        "output": "  ".join(words.shape(shape) for shape in row.outputs),
        "params": words.count(row.params) if row.params else "(shared)" * bool(row.shared),
        "macs": "?" if row.macs is None else words.count(row.macs) if row.macs else "",
        "sees": _sees(row.sees) if receptive and row.sees else "",
        "bytes": "in place" if row.in_place else words.size(row.bytes) if row.bytes else "",
        "diff": words.size(row.diff_bytes) if row.diff_bytes else "",
        "style": "unknown" if row.macs is None else "dim" if row.in_place else "",
    }


def _sees(sizes: tuple[float, ...], times: str = "×") -> str:
    """`195×195`, or `all`."""
    if sizes and all(size == inf for size in sizes):
        return "all"
    return times.join("all" if size == inf else f"{round(size, 2):g}" for size in sizes)


def summary_json(net: Net) -> str:
    """The rows and totals as JSON; shapes as lists, null where unknown."""
    rows = summary_rows(net)
    whole = {
        "name": net.name,
        "phase": net.phase.value,
        "layers": [_plain(row) for row in rows],
        "totals": {
            "params": sum(row.params for row in rows),
            "macs": None if any(r.macs is None for r in rows) else sum(r.macs or 0 for r in rows),
            "bytes": sum(row.bytes for row in rows),
            "diff_bytes": sum(row.diff_bytes for row in rows),
            "statistics": sum(prod(p.shape) for p in net.params if p.statistic),
            "param_bytes": _VALUE_BYTES * sum(row.params for row in rows),
        },
        "macs_are": CONVENTION,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def summary_csv(net: Net) -> str:
    """The rows as comma-separated values, with a heading; several tops with `;` between them."""
    text = io.StringIO()
    rows = [_plain(row) for row in summary_rows(net)]
    names = [f.name for f in fields(Row)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        shapes = (words.shape(shape).replace("×", "x") for shape in row["outputs"])
        sees = _sees(tuple(inf if size is None else size for size in row["sees"] or ()), "x")
        writer.writerow({**row, "outputs": ";".join(shapes), "sees": sees})
    return text.getvalue()


def _plain(row: Row) -> dict[str, Any]:
    """A row for JSON, in which there is no infinity: null stands for all of the input."""
    sees = row.sees and [None if size == inf else size for size in row.sees]
    return {**asdict(row), "sees": sees}


def _totals(net: Net, rows: list[Row]) -> str:
    values = sum(row.params for row in rows)
    parts = [words.plural(len(rows), "layer")]
    parts.append(f"{words.plural(values, 'parameter')} ({words.size(_VALUE_BYTES * values)})")
    several = [p for p in net.params if len({use.node for use in p.uses}) > 1]
    if several:
        shared = sum(prod(param.shape) for param in several)
        parts.append(f"{shared:,} of them used more than once")
    kept = sum(prod(param.shape) for param in net.params if param.statistic)
    parts += [f"{words.plural(kept, 'value')} of statistics"] if kept else []
    unknown = sum(row.macs is None for row in rows)
    macs = sum(row.macs or 0 for row in rows)
    least = "at least " if unknown else ""
    parts.append(f"{least}{words.count(macs)} multiply-accumulates a forward pass")
    batch = _batch(net)
    at = f" at batch {batch}" if batch is not None else ""
    parts.append(f"{least}{words.size(sum(row.bytes for row in rows))} of blobs{at}")
    diffs = sum(row.diff_bytes for row in rows)
    parts += [f"{words.size(diffs)} of their gradients"] if diffs else []
    parts += [f"{words.plural(unknown, 'layer')} not understood"] if unknown else []
    return ", ".join(parts)


def _batch(net: Net) -> int | None:
    """The first axis of what the net starts from, where it is the same for all."""
    sources = [net.blobs[top].shape for node in net.nodes if not node.bottoms for top in node.tops]
    firsts = {shape[0] if shape else None for shape in sources}
    return firsts.pop() if len(firsts) == 1 else None
