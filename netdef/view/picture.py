"""A chart as a picture: where boxes and lines are, in pixels.

The ranks are those of `ranks`; labels are told at their readers, as on rails. Lines run straight
past the boxes of a rank and bend only between ranks, so that none runs through a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netdef.diag import Severity
from netdef.view import ranks, words
from netdef.view.cells import clip, width
from netdef.view.chart import Chart, Item

CELL = 7.3
"""Width of a character of the 12 pixel font; a little more than any usual font takes."""
LINE = 17
"""Height of a line of text."""
PAD = 10
"""Between a box's edge and its text."""
GAP = 46
"""Between one rank and the next: the shapes below boxes, then the bends of lines."""

_MOST = 44  # characters of a line


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text and its style: "name", "", "dim", "bad" or "warn"."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """An item's box.

    Attributes:
        item: its index.
        rank: from 0, the topmost.
        x: of the middle.
        width: of the box.
        height: of the box.
        texts: its lines.
        ports: where lines leave, from the middle: one for each of `labels`.
        labels: what is written at the ports.
    """

    item: int
    rank: int
    x: int
    width: int
    height: int
    texts: tuple[Text, ...]
    ports: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another.

    Attributes:
        source: item it leaves.
        port: x where it leaves, from the middle of that box.
        target: item it leads to.
        entry: x where it enters, from the middle of that box.
        way: x at each rank between them.
    """

    source: int
    port: int
    target: int
    entry: int
    way: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, one for each item, and lines; x from 0, y is to be had from the ranks' heights."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int


def lay(chart: Chart) -> Picture:
    """Lay out a chart."""
    texts = [_texts(item) for item in chart.items]
    values, wires = _wires(chart)
    labels = [_labels(item, found) for item, found in zip(chart.items, values, strict=True)]
    sizes = [_size(t, found) for t, found in zip(texts, labels, strict=True)]
    ports = [_ports(found) for found in labels]
    extents = [
        (wide // 2, max(wide // 2, *(p + 6 + _pixels(t) for p, t in zip(at, found, strict=False))))
        if found
        else (wide // 2, wide // 2)
        for (wide, _), at, found in zip(sizes, ports, labels, strict=True)
    ]
    layout = ranks.lay(ranks.Wiring(extents, list(wires), ports, lambda left, right: 26))
    spots = {s.box: s for rank in layout.ranks for s in rank if s.box is not None}
    boxes = tuple(
        Box(i, spots[i].rank, spots[i].x, *sizes[i], texts[i], tuple(ports[i]), labels[i])
        for i in range(len(chart.items))
    )
    lines = _lines(layout, boxes)
    edge = max((s.x + s.right for rank in layout.ranks for s in rank), default=0)
    return Picture(boxes, lines, edge)


def _texts(item: Item) -> tuple[Text, ...]:
    found = [Text(clip(f"{item.change} {item.name}".strip(), _MOST), "name")]
    about = " ".join(w for w in (item.kind, item.settings, item.fused) if w)
    found.append(Text(clip(about, _MOST), "bad" if "?" in item.kind else ""))
    counts = [f"{words.count(item.params)} params"] if item.params else []
    counts += ["shared params"] if item.shared else []
    counts += [f"{words.count(item.macs)} MACs"] if item.macs else []
    found += [Text(" · ".join(counts), "dim")] if counts else []
    found += [Text(clip(note, _MOST), "dim") for note in item.notes]
    for problem in item.problems:
        style = "bad" if problem.severity is Severity.ERROR else "warn"
        text = f"{problem.severity.value}[{problem.code}]: {problem.message}"
        found.append(Text(clip(text, _MOST + 10), style))
    return tuple(found)


def _pixels(text: str) -> int:
    return round(width(text) * CELL)


def _size(texts: Sequence[Text], labels: Sequence[str]) -> tuple[int, int]:
    wide = max(_pixels(t.text) for t in texts) + 2 * PAD + 6
    spread = sum(_pixels(t) + 16 for t in labels[:-1]) + 2 * PAD if len(labels) > 1 else 0
    wide = max(wide, spread, 110)
    return wide + wide % 2, LINE * len(texts) + 12


def _ports(labels: Sequence[str]) -> list[int]:
    """Where values leave: in the middle, or with room for what is written at each."""
    if len(labels) < 2:
        return [0]
    at, places = 0, []
    for label in labels:
        places.append(at)
        at += _pixels(label) + 16
    return [place - places[-1] // 2 for place in places]


def _wires(chart: Chart) -> tuple[list[list[str]], dict[tuple[int, int, int], None]]:
    """For each item the blobs that leave it, and (item, its blob, item) triples."""
    values: list[list[str]] = [[] for _ in chart.items]
    wires: dict[tuple[int, int, int], None] = {}
    for index, item in enumerate(chart.items):
        for top in item.tops:
            if not top.read and top.name not in values[index]:
                values[index].append(top.name)
    for index, item in enumerate(chart.items):
        for wire in item.wires:
            for blob in () if wire.quiet else wire.blobs:
                found = values[wire.source]
                if blob not in found:
                    found.append(blob)
                wires[wire.source, found.index(blob), index] = None
    order = [{top.name: n for n, top in enumerate(item.tops)} for item in chart.items]
    turned = [
        sorted(found, key=lambda name, o=at: o.get(name, len(o)))  # type: ignore[misc]
        for found, at in zip(values, order, strict=True)
    ]
    again = {(s, turned[s].index(values[s][p]), t): None for s, p, t in wires}
    return turned, again


def _labels(item: Item, names: Sequence[str]) -> tuple[str, ...]:
    """Shapes of the blobs that leave, with their names where there are several."""
    shapes = {top.name: words.shape(top.shape) for top in item.tops}
    if len(names) == 1:
        return (shapes.get(names[0], "?"),)
    return tuple(f"{clip(name, 20)} {shapes.get(name, '?')}" for name in names)


def _lines(layout: ranks.Layout, boxes: Sequence[Box]) -> tuple[Line, ...]:
    above: dict[int, ranks.Strand] = {}
    for strands in layout.gaps:
        for strand in strands:
            if strand.target.box is None:
                above[id(strand.target)] = strand
    found: list[Line] = []
    for strands in layout.gaps:
        for strand in strands:
            if strand.target.box is None:
                continue
            way: list[int] = []
            last = strand
            while last.source.box is None:
                way.append(last.source.x)
                last = above[id(last.source)]
            source, target = last.source.box, strand.target.box
            line = Line(source, last.port, target, 0, tuple(reversed(way)))
            found.append(line)
    return tuple(_entered(found, boxes))


def _entered(lines: Sequence[Line], boxes: Sequence[Box]) -> list[Line]:
    """Lines with a place of their own at the box they enter, in the order they come."""
    entering: dict[int, list[Line]] = {}
    for line in lines:
        entering.setdefault(line.target, []).append(line)
    out: list[Line] = []
    for target, found in entering.items():
        found.sort(key=lambda line: _from(line, boxes))
        step = min(24, (boxes[target].width - 24) // max(len(found), 1))
        for number, line in enumerate(found):
            entry = round((number - (len(found) - 1) / 2) * step)
            port = boxes[line.source].ports[line.port]
            out.append(Line(line.source, port, target, entry, line.way))
    return sorted(out, key=lambda line: (line.source, line.target, line.port))


def _from(line: Line, boxes: Sequence[Box]) -> int:
    if line.way:
        return line.way[-1]
    return boxes[line.source].x + boxes[line.source].ports[line.port]


def heights(picture: Picture) -> list[tuple[int, int]]:
    """Top and height of each rank, all of them shown."""
    count = 1 + max((box.rank for box in picture.boxes), default=-1)
    high = [0] * count
    for box in picture.boxes:
        high[box.rank] = max(high[box.rank], box.height)
    found, y = [], 0
    for height in high:
        found.append((y, height))
        y += height + GAP
    return found


def path(picture: Picture, line: Line, rows: Sequence[tuple[int, int]]) -> str:
    """A line as an SVG path: straight past ranks, bent between them.

    Args:
        picture: that has the line.
        line: to draw.
        rows: what `heights` gives.
    """
    source, target = picture.boxes[line.source], picture.boxes[line.target]
    x = source.x + line.port
    top, height = rows[source.rank]
    parts = [f"M{x} {top + source.height}"]
    if height > source.height:
        parts.append(f"V{top + height}")
    y = top + height
    stops = [*line.way, target.x + line.entry]
    for rank, to in enumerate(stops, source.rank + 1):
        top, height = rows[rank]
        last = rank == target.rank
        bend = y + 15  # below what is written at the port
        if to == x:
            parts.append(f"V{top - 2 if last else top + height}")
        else:
            middle = (bend + top - 2) // 2
            end = top - 2
            parts.append(f"V{bend}C{x} {middle + 6} {to} {middle - 6} {to} {end}")
            if not last:
                parts.append(f"V{top + height}")
        x, y = to, top + height
    return "".join(parts)
