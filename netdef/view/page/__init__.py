"""A chart as one HTML file: zoom and pan, search, blocks that fold, a panel about each layer.

Nothing in the page is loaded from elsewhere, and its content policy forbids it. `page.js` puts
boxes and lines where `picture` says; folding a block takes its ranks out and puts one box there.
"""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any

from netdef.graph import Net, Node
from netdef.view import blocks, picture, svg, words
from netdef.view.chart import Chart, Item
from netdef.view.totals import totals

_FOLDED_ABOVE = 30
_SOURCE_LINES = 60


def html(chart: Chart) -> str:
    """The page."""
    here = files(__package__)
    page = (here / "page.html").read_text("utf-8")
    parts = {  # what comes from the net last: nothing is put into it
        "STYLE": (here / "page.css").read_text("utf-8"),
        "SCRIPT": (here / "page.js").read_text("utf-8"),
        "TITLE": escape(f"{chart.title} ({chart.net.state})"),
        "TOTALS": escape(totals(chart, None)),
        # `<` would let a layer's name end the script
        "DATA": json.dumps(data(chart), ensure_ascii=False).replace("<", "\\u003c"),
    }
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page


def data(chart: Chart) -> dict[str, Any]:
    """What the page's script works on."""
    laid = picture.lay(chart)
    return {
        "gap": picture.GAP,
        "line": picture.LINE,
        "pad": picture.PAD,
        "items": [
            {
                "name": item.name,
                "colour": svg.COLOURS.get(item.style, svg.COLOURS["act"]),
                "change": item.change,
                "wrong": item.wrong,
                "rank": box.rank,
                "x": box.x,
                "w": box.width,
                "h": box.height,
                "texts": [[text.text, text.style] for text in box.texts],
                "labels": list(zip(box.ports, box.labels, strict=False)),
                "params": item.params,
                "macs": item.macs,
                "layers": _layers(chart.net, item),
                "notes": [*item.notes, *item.reads],
                "problems": [[p.severity.value, p.code, p.message, p.line] for p in item.problems],
            }
            for item, box in zip(chart.items, laid.boxes, strict=True)
        ],
        "lines": [
            [line.source, line.port, line.target, line.entry, list(line.way)] for line in laid.lines
        ],
        "reads": [list(dict.fromkeys(wire.source for wire in i.wires)) for i in chart.items],
        "blocks": _blocks(chart),
        "ties": [
            [a, b, ", ".join(name for name, _ in share.params)]
            for share in chart.shares
            for a, b in zip(share.items, share.items[1:], strict=False)
        ],
        "stray": [f"{p.severity.value}[{p.code}]: {p.message}" for p in chart.stray],
    }


def _blocks(chart: Chart) -> list[dict[str, Any]]:
    large = len(chart.items) > _FOLDED_ABOVE
    return [
        {
            "name": block.name,
            "first": block.first,
            "last": block.last,
            "about": block.about,
            "params": words.count(sum(chart.items[i].params for i in block.items)),
            "folded": large and block.repeats,
        }
        for block in blocks.blocks(chart)
    ]


def _layers(net: Net, item: Item) -> list[dict[str, Any]]:
    return [_layer(net, net.nodes[node]) for node in item.nodes]


def _layer(net: Net, node: Node) -> dict[str, Any]:
    span = net.span(node.path)
    text = "" if span is None else f"layer {span.text}"
    lines = text.splitlines()
    if len(lines) > _SOURCE_LINES:
        lines = [*lines[:_SOURCE_LINES], f"… {len(lines) - _SOURCE_LINES} more lines"]
    bottoms = [net.blobs[b] if b is not None else None for b in node.bottoms]
    return {
        "name": node.name,
        "type": node.type,
        "known": node.layer is not None,
        "settings": words.settings(node),
        "place": "" if span is None else f"{span.source.name}:{span.begin.line}",
        "source": "\n".join(lines),
        "bottoms": [
            [name, words.shape(blob.shape if blob is not None else None)]
            for name, blob in zip(node.message.bottom, bottoms, strict=False)
        ],
        "tops": [[net.blobs[t].name, words.shape(net.blobs[t].shape)] for t in node.tops],
        "params": [_param(net, number, node) for number in node.params],
    }


def _param(net: Net, number: int, node: Node) -> dict[str, Any]:
    param = net.params[number]
    owner = net.nodes[param.owner.node]
    users = [net.nodes[use.node].name for use in param.uses]
    use = next((u for u in param.uses if net.nodes[u.node] is node), param.owner)
    return {
        "name": param.name,
        "role": param.role,
        "shape": words.shape(param.shape),
        "lr_mult": "kept by the layer" if param.statistic else f"{use.lr_mult:g}",
        "decay_mult": "" if param.statistic else f"{param.decay_mult:g}",
        "filler": param.filler.type,
        "shared": users if len(users) > 1 else [],
        "owner": owner.name,
    }
