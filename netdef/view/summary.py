"""The layers of a net as a table: type, shapes, params, work, memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

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
    "bytes": table.Column("memory", right=True),
}
_DROP = ("bytes", "macs", "params")


@dataclass(frozen=True, slots=True)
class Row:
    """A layer of the table.

    Attributes:
        name: of the layer.
        type: Caffe's word.
        settings: those that matter.
        outputs: shape of each top; None where unknown.
        params: learned values it owns.
        shared: learned values it uses and another layer owns.
        macs: multiply-accumulates of one forward pass of the whole batch; None where unknown.
            One for each product that is added up: biases, pooling and the like count nothing.
        bytes: of the values of its tops as float32; a top in place takes no memory of its own.
        diff_bytes: of the gradients of its tops, where the net computes them.
        in_place: its top is its bottom, changed.
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


def summary_rows(net: Net) -> list[Row]:
    """A row for each layer, in the order of the net."""
    return [_row(net, index, node) for index, node in enumerate(net.nodes)]


def _row(net: Net, index: int, node: Node) -> Row:
    bottoms, tops = net.bottom_shapes(node), net.top_shapes(node)
    macs = None
    if node.layer is not None and bottoms is not None and tops is not None:
        macs = node.layer.macs(bottoms, tops)
    own = shared = 0
    for number in node.params:
        param = net.params[number]
        mine = param.owner.node == index
        own, shared = own + prod(param.shape) * mine, shared + prod(param.shape) * (not mine)
    blobs = [net.blobs[top] for top in node.tops]
    names = {net.blobs[b].name for b in node.bottoms if b is not None}
    new = [blob for blob in blobs if blob.name not in names]
    sizes = [(_VALUE_BYTES * prod(b.shape or (0,)), b.backward) for b in new if b.shape is not None]
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
    )


def summary(net: Net, *, width: int | None = None, color: bool = False) -> str:
    """The table as text, with totals.

    Args:
        net: compiled; what is unknown in it is shown as `?`.
        width: cells of a line, at least 40; None for 80.
        color: with ANSI colours.
    """
    room = max(width or 80, 40)
    rows = summary_rows(net)
    cells = [
        {
            "name": row.name,
            "type": f"{row.type} {row.settings}".strip() or "?",
            "output": "  ".join(words.shape(shape) for shape in row.outputs),
            "params": words.count(row.params) if row.params else "(shared)" * bool(row.shared),
            "macs": "?" if row.macs is None else words.count(row.macs) if row.macs else "",
            "bytes": "in place" if row.in_place else words.size(row.bytes) if row.bytes else "",
            "style": "unknown" if row.macs is None else "dim" if row.in_place else "",
        }
        for row in rows
    ]
    lines: list[Line] = [[(f" {net.name or 'net'} ({net.state})", "title")]]
    lines += table.lines(_COLUMNS, cells, room, _DROP)
    lines += [[(" " + text, "head")] for text in wrap(_totals(net, rows), room - 1)]
    return palette.join([clip_line(line, room) for line in lines], color=color)


def _totals(net: Net, rows: list[Row]) -> str:
    values = sum(row.params for row in rows)
    parts = [words.plural(len(rows), "layer")]
    parts.append(f"{words.plural(values, 'parameter')} ({words.size(_VALUE_BYTES * values)})")
    several = [p for p in net.params if len({use.node for use in p.uses}) > 1]
    if several:
        shared = sum(prod(param.shape) for param in several)
        parts.append(f"{shared:,} of them used more than once")
    unknown = sum(row.macs is None for row in rows)
    macs = sum(row.macs or 0 for row in rows)
    least = "at least " if unknown else ""
    parts.append(f"{least}{words.count(macs)} multiply-accumulates a forward pass")
    parts.append(f"{least}{words.size(sum(row.bytes for row in rows))} of blobs")
    diffs = sum(row.diff_bytes for row in rows)
    parts += [f"{words.size(diffs)} of gradients"] if diffs else []
    parts += [f"{words.plural(unknown, 'layer')} not understood"] if unknown else []
    return ", ".join(parts)
