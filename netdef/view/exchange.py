"""A chart for other programs: Graphviz's dot, Mermaid, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from netdef.view import palette, words
from netdef.view.chart import Chart, Item

_CLASSES = {
    "added": "stroke:#2f9e44,stroke-width:3px",
    "removed": "stroke:#e03131,stroke-width:2px,stroke-dasharray:4 3",
    "changed": "stroke:#e67700,stroke-width:3px",
}
_COLOURS = {"+": ", color=green4", "-": ", color=red3, style=dashed", "~": ", color=orange3"}


def dot(chart: Chart) -> str:
    """For Graphviz: `netdef draw --format dot model.prototxt | dot -Tpdf`."""
    lines = [f"digraph {_quoted(chart.title)} {{", "  node [shape=box, fontname=monospace];"]
    for index, item in enumerate(chart.items):
        look = ", color=red" if item.problems else _COLOURS.get(item.change, "")
        lines.append(f"  n{index} [label={_quoted(chr(10).join(_label(item)))}{look}];")
    for source, target, label, quiet in _edges(chart):
        look = ", style=dotted" if quiet else ""
        lines.append(f"  n{source} -> n{target} [label={_quoted(label)}{look}];")
    for share in chart.shares:
        names = ", ".join(name for name, _ in share.params)
        for other in share.items[1:]:
            lines.append(
                f"  n{share.items[0]} -> n{other} [label={_quoted(names)}, style=dashed, "
                "dir=none, constraint=false];"
            )
    return "\n".join([*lines, "}", ""])


def mermaid(chart: Chart) -> str:
    """For Markdown pages that draw `mermaid` blocks, GitHub's among them."""
    lines = ["flowchart TD"]
    for index, item in enumerate(chart.items):
        label = "<br/>".join(map(_entities, _label(item)))
        lines.append(f'  n{index}["{label}"]')
        lines += [f"  class n{index} {palette.CHANGES[item.change]}"] if item.change else []
    for source, target, label, quiet in _edges(chart):
        arrow = "-.->" if quiet else "-->"
        lines.append(f'  n{source} {arrow}|"{_entities(label)}"| n{target}')
    for share in chart.shares:
        names = _entities(", ".join(name for name, _ in share.params))
        lines += [f'  n{share.items[0]} -. "{names}" .- n{item}' for item in share.items[1:]]
    if chart.other is not None:
        lines += [f"  classDef {name} {look}" for name, look in _CLASSES.items()]
    return "\n".join([*lines, ""])


def as_json(chart: Chart) -> str:
    """Layers and the wires between them; shapes in Caffe's order.

    Of a part of a net the layers in it; `source` and `target` count all layers of the net. Of
    two nets the second, with what became of each layer, and the names of those it lacks.
    """
    net = chart.net
    home = {node: drawn for drawn in chart.items for node in drawn.nodes}
    wires = [
        {
            "source": net.blobs[bottom].producer,
            "target": index,
            "blob": net.blobs[bottom].name,
            "version": net.blobs[bottom].version,
        }
        for index, node in enumerate(net.nodes)
        for bottom in node.bottoms
        if bottom is not None and index in home and net.blobs[bottom].producer in home
    ]
    layers = [
        {
            "index": index,
            "name": node.name,
            "type": node.type,
            "settings": words.settings(node),
            "known": node.layer is not None,
            "bottoms": list(node.message.bottom),
            "tops": [
                {"name": net.blobs[t].name, "shape": _sizes(net.blobs[t].shape)} for t in node.tops
            ],
            "params": [
                {
                    "name": net.params[p].name,
                    "role": net.params[p].role,
                    "shape": list(net.params[p].shape),
                    "owner": net.nodes[net.params[p].owner.node].name,
                }
                for p in node.params
            ],
            "folded_into": None if home[index].nodes[0] == index else home[index].name,
            "line": span.begin.line if (span := net.span(node.path)) is not None else None,
        }
        | ({"change": palette.CHANGES.get(home[index].change)} if chart.other else {})
        for index, node in enumerate(net.nodes)
        if index in home
    ]
    whole: dict[str, object] = {
        "name": net.name,
        "phase": net.phase.value,
        "layers": layers,
        "wires": wires,
        "parameters": chart.params,
        "macs": chart.macs,
    }
    if chart.other is not None:
        whole["removed"] = [item.name for item in chart.items if item.change == "-"]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _sizes(shape: tuple[int, ...] | None) -> list[int] | None:
    return None if shape is None else list(shape)


def _label(item: Item) -> list[str]:
    lines = [
        f"{item.change} {item.name}".strip(),
        " ".join(w for w in (item.kind, item.settings, item.fused) if w),
    ]
    lines += [f"{item.params:,} params"] if item.params else []
    lines += [f"{p.severity.value}[{p.code}]: {p.message}" for p in item.problems]
    return lines


def _edges(chart: Chart) -> list[tuple[int, int, str, bool]]:
    """Source, target, what is written at the wire, whether it is a label's."""
    found = []
    for index, item in enumerate(chart.items):
        for wire in item.wires:
            tops = {top.name: top.shape for top in chart.items[wire.source].tops}
            texts = [
                (f"{name} " if len(tops) > 1 else "") + words.shape(tops.get(name))
                for name in wire.blobs
            ]
            found.append((wire.source, index, ", ".join(texts), wire.quiet))
    return found


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _entities(text: str) -> str:
    for char, entity in (("#", "#35;"), ("&", "#amp;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(char, entity)
    return text.replace('"', "#quot;")


WRITERS: Mapping[str, Callable[[Chart], str]] = {"dot": dot, "mermaid": mermaid, "json": as_json}
