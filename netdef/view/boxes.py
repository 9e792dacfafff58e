"""A chart as boxes from top to bottom, shapes beside the lines: for small nets.

A line that meets a `│` between dashes passes under it; everywhere else lines that meet are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from netdef.diag import Severity
from netdef.view import palette, ranks, tracks, words
from netdef.view.canvas import Canvas
from netdef.view.cells import Line, clip, line_width, shorten_all, width, wrap
from netdef.view.chart import Chart, Item, Share
from netdef.view.ranks import Spot

_ROLES = {"weight": "W", "bias": "b"}
_LINK = 12  # cells between boxes that a dashed line ties, for the words above it
_MOST_ITEMS = 120  # beyond that rails are read more easily, and laid out much faster


@dataclass(slots=True)
class _Box:
    """What stands in a box, line by line; without `framed` only a text, for a net's output."""

    lines: list[tuple[str, str, str]]  # left text, right text, style
    labels: list[str]
    framed: bool = True
    style: str = "rail"
    width: int = 0
    param_line: int = 0
    ports: list[int] = field(default_factory=list)

    @property
    def height(self) -> int:
        return len(self.lines) + 2 if self.framed else len(self.lines)


def draw(chart: Chart, room: int) -> list[Line] | None:
    """The drawing's lines; None where no form of it fits into `room` cells."""
    if len(chart.items) > _MOST_ITEMS:
        return None
    for detail, even in ((2, True), (2, False), (1, True), (1, False), (0, False)):
        tied = frozenset(s for s in chart.shares if len(s.items) == 2 and detail == 2)
        while True:
            boxes = _Boxes(chart, room, detail, tied, even=even)
            beside = tied & boxes.neighbours()
            if beside == tied:
                break
            tied = beside  # the others are told in words, which changes the boxes
        lines = boxes.lines()
        if lines is not None and all(line_width(line) <= room for line in lines):
            return lines
    return None


class _Boxes:
    """One try at a drawing.

    Args:
        chart: what to draw.
        room: cells of a line.
        detail: 2 with params, 1 without, 0 with short names.
        tied: shares to draw as a dashed line between two boxes.
        even: all boxes of one width.
    """

    def __init__(
        self, chart: Chart, room: int, detail: int, tied: frozenset[Share], *, even: bool
    ) -> None:
        self.chart = chart
        self.room = room
        self.detail = detail
        self.tied = tied
        self.names = shorten_all((i.name for i in chart.items), 14 if detail == 0 else 30)
        self.boxes = [self._box(index) for index in range(len(chart.items))]
        self.values: dict[tuple[int, str], int] = {}
        wires = self._wires()
        framed = [box for box in self.boxes if box.framed]
        least = max((self._inner(box) for box in framed), default=0) if even else 0
        for box in self.boxes:
            box.width = max(self._inner(box), least) + 4 if box.framed else self._inner(box)
            self._spread(box)
        self.wiring = ranks.Wiring(
            [self._extent(box) for box in self.boxes],
            wires,
            [box.ports for box in self.boxes],
            self._gap,
        )
        self.layout = ranks.lay(self.wiring)

    def neighbours(self) -> set[Share]:
        """Shares whose two boxes stand side by side."""
        pairs = {frozenset((a.box, b.box)) for rank in self.layout.ranks for a, b in pairwise(rank)}
        return {share for share in self.chart.shares if frozenset(share.items) in pairs}

    def lines(self) -> list[Line] | None:
        """The drawing; None where lines would have to share a column."""
        layout = self.layout
        gaps = []
        for level, strands in enumerate(layout.gaps[:-1]):
            gap = tracks.route(strands, layout.ranks[level + 1], self.wiring)
            if gap is None:
                return None
            gaps.append(gap)
        canvas = Canvas()
        y = 0
        for level, rank in enumerate(layout.ranks):
            height = max((self._of(s).height for s in rank if s.box is not None), default=1)
            for spot in rank:
                if spot.box is None:
                    canvas.column(spot.x, y, y + height)
                else:
                    self._frame(canvas, spot, y, height)
            self._links(canvas, rank, y)
            y += height
            if level < len(gaps):
                y = self._lines_below(canvas, rank, gaps[level], y)
        return [*self._title(), [], *canvas.lines(indent=1), *self._footer()]

    def _of(self, spot: Spot) -> _Box:
        assert spot.box is not None
        return self.boxes[spot.box]

    def _box(self, index: int) -> _Box:
        item = self.chart.items[index]
        bad = item.wrong
        style = "bad" if bad else palette.CHANGES.get(item.change) or item.style
        name = f"{item.change} {self.names[item.name]}".lstrip()
        lines = [(name, item.kind, style)] if self.detail else [(name, "", style)]
        about = " ".join(w for w in (item.settings, item.fused) if w)
        if not self.detail:
            about = f"{item.kind} {about}".strip()
            about = clip(about, 20)
        if about:
            lines.append((about, "", ""))
        first = len(lines)
        if self.detail == 2:
            lines += [(text, "", "") for text in self._params(item)]
        for note in (*item.notes, *self._untied(index)):
            lines += [(text, "", "dim") for text in wrap(note, 28 if self.detail else 16)]
        for problem in item.problems:
            colour = "bad" if problem.severity is Severity.ERROR else "warn"
            place = f" (line {problem.line})" if problem.line is not None else ""
            text = f"{problem.severity.value}[{problem.code}]: {problem.message}{place}"
            lines += [(text, "", colour) for text in wrap(text, 34 if self.detail else 20)]
        labels = [words.shape(top.shape) for top in item.tops]
        return _Box(
            lines,
            labels,
            style="bad" if bad else palette.CHANGES.get(item.change, "rail"),
            param_line=first,
        )

    def _params(self, item: Item) -> list[str]:
        numbers = self.chart.net.nodes[item.nodes[0]].params if item.nodes else ()
        plain: list[str] = []
        named: list[str] = []
        for number in numbers:
            param = self.chart.net.params[number]
            role = _ROLES.get(param.role, param.role)
            shape = words.shape(param.shape)
            (named if param.name else plain).append(
                f"{role}  {param.name}  {shape}" if param.name else f"{role} {shape}"
            )
        return named + (["   ".join(plain)] if plain else [])

    def _untied(self, index: int) -> list[str]:
        """Notes for shared params that no dashed line will show."""
        notes = []
        for share in self.chart.shares:
            if index in share.items[1:] and share not in self.tied:
                notes.append(f"shares with {self.names[self.chart.items[share.items[0]].name]}")
        return list(dict.fromkeys(notes))

    def _wires(self) -> list[tuple[int, int, int]]:
        """Wires between boxes, with boxes added for the net's outputs."""
        chart = self.chart
        wires: list[tuple[int, int, int]] = []
        read: dict[int, list[str]] = {}
        for index, item in enumerate(chart.items):
            for wire in item.wires:
                for blob in dict.fromkeys(() if wire.quiet else wire.blobs):
                    read.setdefault(wire.source, [])
                    if blob not in read[wire.source]:
                        read[wire.source].append(blob)
                    wires.append((wire.source, self._value(wire.source, blob), index))
        for index, item in enumerate(chart.items):
            for name in item.outputs:
                self.boxes.append(_Box([(f"{name}   output", "", "title")], [], framed=False))
                wires.append((index, self._value(index, name), len(self.boxes) - 1))
        for index, item in enumerate(chart.items):
            names = [top.name for top in item.tops]
            used = [name for (source, name) in self.values if source == index]
            order = sorted(used, key=lambda n: names.index(n) if n in names else 0)
            several = len(item.tops) > 1
            self.boxes[index].labels = [
                (f"{name} " if several and name in names else "")
                + words.shape(item.tops[names.index(name)].shape if name in names else None)
                for name in order
            ]
            turned = {self.values[index, name]: order.index(name) for name in used}
            wires = [(s, turned[p] if s == index else p, t) for s, p, t in wires]
        return list(dict.fromkeys(wires))

    def _value(self, item: int, blob: str) -> int:
        number = sum(source == item for source, _ in self.values)
        return self.values.setdefault((item, blob), number)

    def _inner(self, box: _Box) -> int:
        return max(width(a) + (2 + width(b) if b else 0) for a, b, _ in box.lines)

    def _spread(self, box: _Box) -> None:
        """Place the ports: one in the middle, several with room for what is written at each."""
        count = len(box.labels)
        if count < 2:
            box.ports = [0]
            return
        step = max(width(label) for label in box.labels) + 4
        box.width = max(box.width, step * (count - 1) + 7)
        first = -(step * (count - 1)) // 2
        box.ports = [first + step * n for n in range(count)]

    def _extent(self, box: _Box) -> tuple[int, int]:
        left = box.width // 2
        right = box.width - 1 - left
        for port, label in zip(box.ports, box.labels, strict=False):
            right = max(right, port + 2 + width(label))
        return left, right

    def _gap(self, left: int | None, right: int | None) -> int:
        for share in self.tied:
            if {left, right} == set(share.items):
                return _LINK
        return 2

    def _frame(self, canvas: Canvas, spot: Spot, y: int, height: int) -> None:
        box = self._of(spot)
        left = spot.x - spot.left
        inner = box.width - 4
        if not box.framed:
            canvas.text(left, y, box.lines[0][0], box.lines[0][2])
            return
        bar = "─" * (box.width - 2)
        canvas.text(left, y, f"┌{bar}┐", box.style)
        for row, (a, b, style) in enumerate(box.lines, y + 1):
            canvas.text(left, row, "│", box.style)
            canvas.text(left + 2, row, a, style)
            canvas.text(left + 2 + inner - width(b), row, b, style)
            canvas.text(left + box.width - 1, row, "│", box.style)
        bottom = y + box.height - 1
        canvas.text(left, bottom, f"└{bar}┘", box.style)
        for port in box.ports if box.labels else ():
            canvas.text(spot.x + port, bottom, "┬", box.style)
            canvas.column(spot.x + port, bottom + 1, y + height)

    def _links(self, canvas: Canvas, rank: list[Spot], y: int) -> None:
        """Dashed lines between neighbours that share params."""
        for spot, other in pairwise(rank):
            share = next((s for s in self.tied if {spot.box, other.box} == set(s.items)), None)
            if share is None:
                continue
            row = y + 1 + self._of(spot).param_line
            start = spot.x - spot.left + self._of(spot).width
            cells = other.x - other.left - start
            canvas.text(start, row, "╌" * cells, "brace")
            for text, at in (("shared", row - 1), ("weights", row + 1)):
                canvas.text(start + (cells - len(text)) // 2, at, text, "brace")

    def _lines_below(self, canvas: Canvas, rank: list[Spot], gap: tracks.Gap, y: int) -> int:
        """Labels, tracks and arrows; returns the row after them."""
        for spot in rank:
            if spot.box is not None:
                box = self._of(spot)
                for port, label in zip(box.ports, box.labels, strict=False):
                    canvas.text(spot.x + port + 2, y, label, "shape")
        arrow = y + 1 + gap.tracks
        for run in gap.runs:
            track = y if run.track is None else y + 1 + run.track
            canvas.run(run.tops, run.bottoms, track, y, arrow)
        for x in gap.arrows:
            canvas.text(x, arrow, "▼", "rail")
        return arrow + 1

    def _title(self) -> list[Line]:
        chart = self.chart
        parts = [f"{chart.title} ({chart.net.state})", words.plural(len(chart.net.nodes), "layer")]
        parts += [f"{len(chart.items)} of {chart.whole} boxes shown"] if chart.whole else []
        twice = f" ({chart.twice})" if chart.twice else ""
        parts += [words.plural(chart.params, "parameter") + twice] if chart.params else []
        parts += [f"batch {chart.batch}"] if chart.batch is not None else []
        text = parts[0]
        for part in parts[1:]:
            whole = f"{text.rpartition(chr(10))[2]}  ·  {part}"
            text += f"  ·  {part}" if width(whole) < self.room else f"\n{part}"
        return [[(f" {clip(t, self.room - 1)}", "title")] for t in text.split("\n")]

    def _footer(self) -> list[Line]:
        return [
            [(" " + text, "bad" if p.severity is Severity.ERROR else "warn")]
            for p in self.chart.stray
            for text in wrap(f"{p.severity.value}[{p.code}]: {p.message}", self.room - 1)
        ]
