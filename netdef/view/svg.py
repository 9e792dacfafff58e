"""A chart as an SVG picture that needs nothing beside it; it suits light and dark pages."""

from __future__ import annotations

from html import escape

from netdef.view import picture
from netdef.view.chart import Chart
from netdef.view.totals import totals

# Left edge of a box by the layer's family; red is for mistakes only.
COLOURS = {
    "data": "#2f9e44",
    "conv": "#1c7ed6",
    "dense": "#0c8599",
    "norm": "#e67700",
    "act": "#868e96",
    "join": "#9c36b5",
    "loss": "#d6336c",
    "dim": "#495057",
    "unknown": "#e03131",
}
CHANGED = {"+": "#2f9e44", "-": "#e03131", "~": "#e67700"}

_STYLE = """
svg{--page:#fff;--ink:#212529;--dim:#5c636a;--box:#fff;--edge:#adb5bd;--line:#6c757d;
--block:#f1f3f5;--tie:#9c36b5;--bad:#c92a2a;--warn:#b35c00;background:var(--page)}
@media(prefers-color-scheme:dark){svg{--page:#16181b;--ink:#e9ecef;--dim:#a3abb3;--box:#212529;
--edge:#5c636a;--line:#939ba3;--block:#1d2023;--tie:#da77f2;--bad:#ff8787;--warn:#ffa94d}}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
fill:var(--ink);white-space:pre}
.name{font-weight:600}.dim,.shape,.block{fill:var(--dim)}.bad{fill:var(--bad)}
.warn{fill:var(--warn)}.shape{font-size:11px}.title{font-size:14px;font-weight:600}
.box{fill:var(--box);stroke:var(--edge)}.wrong{stroke:var(--bad);stroke-width:2}
.line{fill:none;stroke:var(--line);stroke-width:1.3;marker-end:url(#a)}
.tie{fill:none;stroke:var(--tie);stroke-dasharray:5 4}
.area{fill:var(--block);stroke:var(--edge);stroke-dasharray:1 3}
#a path{fill:var(--line)}
"""
_MARGIN = 30
_HEAD = 62


def svg(chart: Chart) -> str:
    """The picture; each box has its layer's name as title, to be seen at the mouse."""
    laid = picture.lay(chart)
    rows = picture.heights(laid)
    areas = [_area(chart, laid, rows, b.first, b.last, b.name, b.times) for b in chart.brackets]
    ties = [
        _tie(laid, rows, a, b)
        for s in chart.shares
        for a, b in zip(s.items, s.items[1:], strict=False)
    ]
    deep = max((top + height for top, height in rows), default=0)
    foot = totals(chart, None)
    wide = (
        max(laid.width, round(picture.CELL * max(len(foot), len(chart.title) + 10))) + 2 * _MARGIN
    )
    high = deep + _HEAD + 2 * _MARGIN
    head = f"{chart.title} ({chart.net.state})"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(head)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<text class="title" x="{_MARGIN}" y="{_MARGIN}">{escape(head)}</text>',
        f'<text class="dim" x="{_MARGIN}" y="{_MARGIN + 18}">{escape(foot)}</text>',
        f'<g transform="translate({_MARGIN} {_HEAD + 10})">',
        *areas,
        *(_line(laid, line, rows) for line in laid.lines),
        *ties,
        *(_box(chart, box, rows) for box in laid.boxes),
        "</g>",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _line(laid: picture.Picture, line: picture.Line, rows: list[tuple[int, int]]) -> str:
    way = picture.path(laid, line, rows)
    return f'<path class="line" data-from="{line.source}" data-to="{line.target}" d="{way}"/>'


def _box(chart: Chart, box: picture.Box, rows: list[tuple[int, int]]) -> str:
    item = chart.items[box.item]
    left, top = box.x - box.width // 2, rows[box.rank][0]
    colour = COLOURS.get(item.style, COLOURS["act"])
    edge = f' style="stroke:{CHANGED[item.change]};stroke-width:2"' if item.change else ""
    look = "box wrong" if item.wrong else "box"
    parts = [
        f'<g id="n{box.item}"><title>{escape(item.name)}</title>',
        f'<rect class="{look}" x="{left}" y="{top}" width="{box.width}" height="{box.height}" '
        f'rx="5"{edge}/>',
        f'<rect x="{left}" y="{top + 3}" width="5" height="{box.height - 6}" fill="{colour}"/>',
    ]
    if item.folded:  # a second edge, as of a stack
        parts.insert(
            1,
            f'<rect class="box" x="{left + 4}" y="{top + 4}" width="{box.width}" '
            f'height="{box.height}" rx="5"/>',
        )
    for number, text in enumerate(box.texts):
        y = top + 6 + picture.LINE * (number + 1) - 5
        look = f' class="{text.style}"' if text.style else ""
        parts.append(f'<text{look} x="{left + picture.PAD + 4}" y="{y}">{escape(text.text)}</text>')
    below = top + box.height + 13
    for port, label in zip(box.ports, box.labels, strict=False):
        parts.append(
            f'<text class="shape" x="{box.x + port + 6}" y="{below}">{escape(label)}</text>'
        )
    return "".join([*parts, "</g>"])


def _area(
    chart: Chart,
    laid: picture.Picture,
    rows: list[tuple[int, int]],
    first: int,
    last: int,
    name: str,
    times: int,
) -> str:
    """The ground behind a block; nothing where another layer's box would stand on it."""
    inside = laid.boxes[first : last + 1]
    left = min(b.x - b.width // 2 for b in inside) - 22
    right = max(b.x + b.width // 2 for b in inside) + 12
    top = min(rows[b.rank][0] for b in inside) - 8
    bottom = max(rows[b.rank][0] + b.height for b in inside) + 18
    for box in laid.boxes[:first] + laid.boxes[last + 1 :]:
        y = rows[box.rank][0]
        beside = box.x + box.width // 2 < left or box.x - box.width // 2 > right
        if not beside and y < bottom and y + box.height > top:
            return ""
    label = f"{name} ×{times}" if times > 1 else name
    return (
        f'<rect class="area" x="{left}" y="{top}" width="{right - left}" '
        f'height="{bottom - top}" rx="8"/><text class="block" '
        f'transform="translate({left + 14} {bottom - 10}) rotate(-90)">{escape(label)}</text>'
    )


def _tie(laid: picture.Picture, rows: list[tuple[int, int]], first: int, second: int) -> str:
    """A dashed line between two boxes with common params."""
    a, b = sorted((laid.boxes[first], laid.boxes[second]), key=lambda box: (box.rank, box.x))
    if a.rank == b.rank:
        y = rows[a.rank][0] + min(a.height, b.height) // 2
        return f'<path class="tie" d="M{a.x + a.width // 2} {y}H{b.x - b.width // 2}"/>'
    left, right = a.x - a.width // 2, b.x - b.width // 2
    y, to = rows[a.rank][0] + a.height // 2, rows[b.rank][0] + b.height // 2
    out = min(left, right) - 24
    return f'<path class="tie" d="M{left} {y}C{out} {y} {out} {to} {right} {to}"/>'
