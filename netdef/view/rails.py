"""A chart as rails, like `git log --graph`: lanes at the left, one row a layer.

Reads so: a lane goes down; `├─╮` splits it, `├─╯` joins lanes, a line that meets a `│` between
dashes passes under it. A dot reads all that its lane carries and puts its own output there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from netdef.diag import Problem, Severity
from netdef.view import lanes, palette, words
from netdef.view.braces import Braces, tie
from netdef.view.cells import Line, clip_line, line_width, pad, shorten, width, wrap
from netdef.view.chart import Bracket, Chart, Item
from netdef.view.table import GAP, Cells, Column, fit, shortened
from netdef.view.totals import totals

_COLUMNS = {
    "name": Column("", least=6),
    "details": Column("", least=0),
    "fused": Column("", style="dim"),
    "output": Column("output"),
    "params": Column("params", right=True),
    "macs": Column("MACs", right=True),
}
_DROP = ("join", "macs", "notes", "params", "settings", "fused", "output", "details")
_AFTER_RAIL = 3


@dataclass
class _Row:
    """A line to be: its rail, the bracket's part, and cells or one free text."""

    rail: str
    item: int | None = None
    side: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    text: Line = field(default_factory=list)
    style: str = ""
    family: str = ""
    totals: dict[str, str] = field(default_factory=dict)
    change: str = ""


def draw(chart: Chart, room: int, *, batch: bool) -> list[Line]:
    """The drawing's lines, none wider than `room`.

    Args:
        chart: what to draw.
        room: cells, at least 40.
        batch: show the batch axis and count the MACs of the whole batch.
    """
    return _Rails(chart, room, batch=batch).lines()


class _Rails:
    def __init__(self, chart: Chart, room: int, *, batch: bool) -> None:
        self.chart = chart
        self.room = room
        self.batch = None if batch else chart.batch
        most = max(3, min(24, (room - 22) // 2))
        self.steps = lanes.lay([item.sources for item in chart.items], most)
        self.lane_count = 1 + max((s.lane for s in self.steps), default=0)
        for step in self.steps:
            self.lane_count = max(self.lane_count, 1 + max(_spread(step)))
        self.side_width = 3 if chart.brackets else 0
        self.left = 1 + 2 * self.lane_count - 1 + _AFTER_RAIL + self.side_width
        self.firsts = {b.first: b for b in chart.brackets}
        self.lasts = {b.last: b for b in chart.brackets}
        self.named: dict[int, tuple[int, ...]] = {}
        self.dropped: tuple[str, ...] = ()
        self.always = ("notes",) if chart.other is not None else ()  # one change a row

    def lines(self) -> list[Line]:
        rows = self._rows()
        braces, untied = tie(self.chart, rows)
        brace_room = (GAP + braces.columns) if braces.columns else 0
        cells = [row.cells for row in rows if row.cells]
        room = self.room - self.left - brace_room
        widths, self.dropped = self._fitted(cells, room, braces)
        if _sum(widths) > room - braces.text_width:
            braces = replace(braces, texts={})
        combined = self._combined(cells, self.dropped)
        short = shortened(widths, _COLUMNS, combined)
        rows = self._with_notes(rows, untied, short)
        out = self._title(widths)
        number = 0
        for row in rows:
            line: Line = [(row.change or " ", row.style), *self._painted_rail(row)]
            line += [(pad(row.side, self.side_width), "rail")]
            if row.cells:
                line += self._cells(combined[number], widths, short, row)
                number += 1
            if row.text and row.text[-1][1] == "fill":
                line = self._filled([*line, *row.text[:-1]], row, widths)
            else:
                line += row.text
            out.append(self._with_brace(line, row, braces, _sum(widths)))
        out += self._totals()
        return [clip_line(line, self.room) for line in out]

    def _fitted(
        self, cells: list[dict[str, str]], room: int, braces: Braces
    ) -> tuple[dict[str, int], tuple[str, ...]]:
        """Widths of the columns, and what is left out."""
        long = max(14, room // 3)
        tries = [(0, long, room - braces.text_width), (1, long, room - braces.text_width)]
        tries += [(2, long, room - braces.text_width)]
        tries += [(number, long, room) for number in range(_DROP.index("fused") + 1)]
        tries += [(number, 10, room) for number in range(_DROP.index("fused"), len(_DROP))]
        tries += [(number, 0, room) for number in range(_DROP.index("output"), len(_DROP) + 1)]
        for number, least, space in tries:
            dropped = self.always + _DROP[:number]
            widths = fit(_COLUMNS, self._combined(cells, dropped), space, least=least)
            if _sum(widths) <= space:
                break
        return widths, dropped

    def _rows(self) -> list[_Row]:
        rows: list[_Row] = []
        waiting: Bracket | None = None
        inside: Bracket | None = None
        upcoming = [s.item for s in self.steps if isinstance(s, lanes.Dot)]
        at = 0
        fresh = True
        for step in self.steps:
            item = upcoming[at]
            if fresh and item in self.firsts:
                waiting = inside = self.firsts[item]
            fresh = False
            if waiting is not None:
                is_dot = isinstance(step, lanes.Dot)
                rail = self._glyphs(self._above(step)) if is_dot else self._rail(step)
                rows.append(self._heading(rail, waiting))
                waiting = None
                if not is_dot:
                    continue
            side = "│" if inside is not None else ""
            if not isinstance(step, lanes.Dot):
                rows.append(_Row(self._rail(step), side=side))
                continue
            if item in self.lasts:
                side, inside = "╰─", None
            self.named[item] = step.named
            row = self._item_row(step, side)
            rows.append(row)
            below = self._glyphs(step.open | ({step.lane} if step.goes_on else set()))
            bar = "│" if inside is not None else ""
            rows += [
                _Row(below, side=bar, text=[(text, style)])
                for problem in self.chart.items[item].problems
                for text, style in self._complaint(problem)
            ]
            at += 1
            fresh = True
        return rows

    def _glyphs(self, through: frozenset[int] | set[int]) -> str:
        return " ".join("│" if n in through else " " for n in range(self.lane_count))

    def _above(self, step: lanes.Step) -> frozenset[int]:
        """Lanes that come from above an item."""
        assert isinstance(step, lanes.Dot)
        reads = set(self.chart.items[step.item].sources) - set(step.named)
        return step.open | ({step.lane} if reads else set())

    def _rail(self, step: lanes.Step) -> str:
        """The characters of one row of lanes, two for each lane."""
        if isinstance(step, lanes.Dot):
            chars = list(self._glyphs(step.open))
            chars[2 * step.lane] = self._mark(self.chart.items[step.item], ends=not step.goes_on)
            return "".join(chars)
        corners = "╭┬╮" if isinstance(step, lanes.Fork) else "╰┴╯"
        ends = _spread(step)
        low, high = min(ends), max(ends)
        chars = list(self._glyphs(step.open))
        for column in range(2 * low, 2 * high + 1):
            if chars[column] == " ":
                chars[column] = "─"
        for lane in step.others:
            chars[2 * lane] = corners[0 if lane == low else 2 if lane == high else 1]
        chars[2 * step.lane] = "├" if step.lane == low else "┤" if step.lane == high else "┼"
        return "".join(chars)

    def _mark(self, item: Item, *, ends: bool) -> str:
        """The item's sign. Below ▼, an output, and ○ the lane ends; below others it goes on."""
        if ends:
            return "▼" if item.outputs else "○"
        return "✗" if item.wrong else "▣" if item.folded else "●"

    def _painted_rail(self, row: _Row) -> Line:
        """The rail, with the item's sign in the colour of its family."""
        text = pad(row.rail, self.left - 1 - self.side_width)
        at = next((n for n, char in enumerate(text) if char in "●○▣▼✗"), None)
        if at is None:
            return [(text, "rail")]
        sign = (text[at], row.style or row.family)
        return [(text[:at], "rail"), sign, (text[at + 1 :], "rail")]

    def _heading(self, rail: str, bracket: Bracket) -> _Row:
        note = f"  ×{bracket.times}, the same block; one:" if bracket.times > 1 else ""
        items = self.chart.items[bracket.first : bracket.last + 1]
        params = sum(item.params for item in items)
        macs = sum(item.macs or 0 for item in items) // (self.batch or 1)
        totals = {"params": words.count(params), "macs": words.count(macs)}
        totals = {k: text for k, text in totals.items() if text != "0"}
        text: Line = [(f"{bracket.name}{note} ", "dim"), ("─", "fill")]
        return _Row(rail, side="╭─", text=text, totals=totals)

    def _item_row(self, step: lanes.Dot, side: str) -> _Row:
        item = self.chart.items[step.item]
        name = item.name
        for bracket in self.chart.brackets:
            if bracket.first <= step.item <= bracket.last:
                name = name.removeprefix(bracket.prefix) or name
        own = words.count(item.params) if item.params else ""
        cells = {
            "name": name,
            "details": item.kind,
            "settings": item.settings,
            "notes": "  ".join(self._notes(step.item, lambda name: name)),
            "fused": item.fused,
            "output": "  ".join(self._shape(top.shape) for top in item.tops),
            "params": own + ("+shared" if own else "(shared)") * bool(item.shared),
            "macs": self._macs(item),
        }
        style = "bad" if item.wrong else palette.CHANGES.get(item.change, "")
        if item.wrong and not step.goes_on:
            cells["details"] = "✗ " + item.kind
        return _Row(
            self._rail(step), step.item, side, cells, [], style, item.style, change=item.change
        )

    def _notes(self, index: int, short: Callable[[str], str]) -> list[str]:
        """What no line tells; `short` gives names as they fit."""
        item = self.chart.items[index]
        far = self.named.get(index, ())
        notes = [f"← {short(self.chart.items[source].name)}" for source in far]
        notes += [f"reads {blobs}" for blobs in item.reads]
        notes += item.notes
        odd = [name for name in item.outputs if name != item.name]
        if odd:
            notes.append("out: " + ", ".join(odd))
        return notes

    def _shape(self, shape: tuple[int, ...] | None) -> str:
        if shape and self.batch is not None:
            shape = shape[1:] or (1,)
        return words.shape(shape)

    def _macs(self, item: Item) -> str:
        return words.count(item.macs // (self.batch or 1)) if item.macs else ""

    def _complaint(self, problem: Problem) -> list[tuple[str, str]]:
        style = "bad" if problem.severity is Severity.ERROR else "warn"
        text = f"{problem.severity.value}[{problem.code}]: {problem.message}"
        if problem.line is not None:
            text += f" (line {problem.line})"
        return [(line, style) for line in wrap(text, self.room - self.left)]

    def _combined(self, cells: list[dict[str, str]], dropped: tuple[str, ...]) -> list[Cells]:
        """Cells with settings and notes written into the details."""
        out: list[Cells] = []
        for cell in cells:
            parts = [cell["details"]]
            parts += [cell["settings"]] if cell["settings"] and "settings" not in dropped else []
            text = " ".join(parts)
            if "join" in dropped and "fused" not in dropped:  # no column of their own
                text, cell = f"{text} {cell['fused']}".rstrip(), {**cell, "fused": ""}
            if cell["notes"] and "notes" not in dropped:
                text += "  " + cell["notes"]
            out.append({k: v for k, v in {**cell, "details": text}.items() if k not in dropped})
        return out

    def _with_notes(
        self,
        rows: list[_Row],
        untied: dict[int, list[str]],
        short: Callable[[str, str], str],
    ) -> list[_Row]:
        """Rows with the notes that found no place in the details on rows of their own."""
        out: list[_Row] = []
        indent = 2
        room = self.room - self.left - indent
        goes_on = {s.item: s for s in self.steps if isinstance(s, lanes.Dot)}
        for row in rows:
            out.append(row)
            if row.item is None or not row.cells:
                continue
            notes = list(untied.get(row.item, ()))
            if "notes" in self.dropped:
                notes = self._notes(row.item, lambda n: shorten(short("name", n), room - 2)) + notes
            step = goes_on[row.item]
            below = self._glyphs(step.open | ({step.lane} if step.goes_on else set()))
            side = "│" if row.side in ("│", "╭─") else ""
            out += [
                _Row(below, side=side, text=[(" " * indent + text, "dim")])
                for note in notes
                for text in wrap(note, room)
            ]
        return out

    def _cells(
        self, cells: Cells, widths: dict[str, int], short: Callable[[str, str], str], row: _Row
    ) -> Line:
        line: Line = []
        for name, room in widths.items():
            column = _COLUMNS[name]
            text = short(name, cells.get(name, ""))
            colour = row.family if name == "details" else column.style
            line.append((pad(text, room, right=column.right), row.style or colour))
            line.append((" " * GAP, ""))
        return line[:-1]

    def _filled(self, line: Line, row: _Row, widths: dict[str, int]) -> Line:
        """A block's heading drawn out to the table's edge, with the block's totals."""
        edge = self.left + _sum(widths)
        tail = "".join(
            " " * GAP + pad(row.totals.get(name, ""), cells, right=True)
            for name, cells in widths.items()
            if name in ("params", "macs")
        )
        dashes = edge - line_width(line) - width(tail)
        tail = tail if row.totals else "─" * width(tail)
        return [*line, ("─" * max(dashes, 0), "rail"), (tail, "dim" if row.totals else "rail")]

    def _with_brace(self, line: Line, row: _Row, braces: Braces, table: int) -> Line:
        edge = self.left + table
        if id(row) in braces.marks:
            line = [*line, (" " * max(edge + GAP - line_width(line), 0), "")]
            line.append((braces.marks[id(row)], "brace"))
            text = braces.texts.get(id(row), "")
            line += [(f" {text}", "brace")] if text else []
        elif not row.cells and id(row) in braces.between and line_width(line) <= edge:
            mark = braces.between[id(row)]
            line = [*line, (" " * (edge + GAP - line_width(line)), ""), (mark, "brace")]
        return line

    def _title(self, widths: dict[str, int]) -> list[Line]:
        """The net's name and the columns' heads, on one line where they do not meet."""
        chart = self.chart
        title = f"{chart.title} ({chart.net.state})"
        if self.batch is not None:
            title += f", batch {self.batch}"
        heads = " " * self.left
        for name, cells in widths.items():
            column = _COLUMNS[name]
            heads += pad(column.head, cells, right=column.right) + " " * GAP
        first = width(heads) - width(heads.lstrip())
        if not heads.strip():
            return [[(f" {title}", "title")]]
        if width(title) + 1 + GAP <= first:
            line = [(f" {title}", "title"), (" " * (first - width(title) - 1), "")]
            return [[*line, (heads.strip(), "head")]]
        return [[(f" {title}", "title")], [(heads, "head")]]

    def _totals(self) -> list[Line]:
        texts = totals(self.chart, self.batch)
        out: list[Line] = [[(" " + text, "head")] for text in wrap(texts, self.room - 1)]
        folded = [item.name for item in self.chart.items if item.folded]
        if folded:
            name = folded[0].partition(" ")[0]
            out.append([(f" ▣ folded: --expand {name} | all", "dim")])
        for problem in self.chart.stray:
            out += [[(" " * bool(text) + text, style)] for text, style in self._complaint(problem)]
        return out


def _spread(step: lanes.Step) -> set[int]:
    return {step.lane} if isinstance(step, lanes.Dot) else {step.lane, *step.others}


def _sum(widths: dict[str, int]) -> int:
    return sum(widths.values()) + GAP * max(len(widths) - 1, 0)
