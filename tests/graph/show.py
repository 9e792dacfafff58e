"""A compiled net as text, for golden files."""

from __future__ import annotations

from netdef.diag import Report
from netdef.graph import Net
from netdef.graph.problems import show_shape


def show(net: Net, report: Report) -> str:
    """Nodes, blobs and params, one a line, then the problems as users see them."""
    lines = [f"net {net.name or '-'} ({net.state})"]
    for node in net.nodes:
        bottoms = ", ".join("?" if b is None else label(net, b) for b in node.bottoms)
        tops = ", ".join(label(net, t) for t in node.tops)
        marks = " backward" if node.backward else ""
        wanted = [label(net, b) for b, w in zip(node.bottoms, node.propagate, strict=False) if w]
        marks += f" to {', '.join(wanted)}" if wanted else ""
        lines.append(f"  {node.name}: {node.type} ({bottoms}) -> ({tops}){marks}")
    lines.append("blobs")
    for index, blob in enumerate(net.blobs):
        weight = f" loss_weight {blob.loss_weight:g}" if blob.loss_weight else ""
        lines.append(f"  {label(net, index)}: {show_shape(blob.shape)}{weight}")
    if net.params:
        lines.append("params")
    for param in net.params:
        uses = ", ".join(
            f"{net.nodes[u.node].name}[{u.index}] lr {u.lr_mult:g} scale {u.scale:g}"
            for u in param.uses
        )
        rates = f"lr_mult {param.lr_mult:g} decay_mult {param.decay_mult:g}"
        name = param.name or "-"
        lines.append(f"  {name} {param.role} {show_shape(param.shape)} {rates}: {uses}")
    lines.append(f"inputs {', '.join(net.inputs) or '-'}; outputs {', '.join(net.outputs) or '-'}")
    return "\n".join(lines) + "\n" + (f"\n{report}\n" if len(report) else "")


def label(net: Net, index: int) -> str:
    """A blob's name, with its version where it is written in place."""
    blob = net.blobs[index]
    return f"{blob.name}'{blob.version}" if blob.version else blob.name
