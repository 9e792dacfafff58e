"""A grid of characters that lines can be drawn into."""

from __future__ import annotations

from itertools import groupby

from netdef.view.cells import Line, width

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_CHARS = {
    _UP | _DOWN: "│",
    _UP: "│",
    _DOWN: "│",
    _LEFT | _RIGHT: "─",
    _LEFT: "─",
    _RIGHT: "─",
    _DOWN | _RIGHT: "┌",
    _DOWN | _LEFT: "┐",
    _UP | _RIGHT: "└",
    _UP | _LEFT: "┘",
    _UP | _DOWN | _RIGHT: "├",
    _UP | _DOWN | _LEFT: "┤",
    _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _LEFT | _RIGHT: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}


class Canvas:
    """Rows of (character, style) by column; grows as it is drawn on."""

    def __init__(self) -> None:
        self._rows: list[dict[int, tuple[str, str]]] = []

    def _row(self, y: int) -> dict[int, tuple[str, str]]:
        while len(self._rows) <= y:
            self._rows.append({})
        return self._rows[y]

    def text(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write a text; it takes as many columns as it is wide."""
        row = self._row(y)
        last = x
        for char in text:
            cells = width(char)
            if not cells:  # a combining mark belongs to the character before it
                row[last] = (row[last][0] + char, style)
                continue
            last = x
            row[x] = (char, style)
            if cells == 2:
                row[x + 1] = ("", style)
            x += cells

    def column(self, x: int, top: int, end: int) -> None:
        """A line straight down, from row `top` to before row `end`."""
        for y in range(top, end):
            self._row(y)[x] = ("│", "rail")

    def run(self, tops: list[int], bottoms: list[int], track: int, top: int, end: int) -> None:
        """Join columns that come down to row `track` with columns that go on to row `end`.

        What lies there already and stands upright is passed under.
        """
        arms: dict[tuple[int, int], int] = {}

        def add(x: int, y: int, arm: int) -> None:
            arms[x, y] = arms.get((x, y), 0) | arm

        for x in tops:
            for y in range(top, track):
                add(x, y, _UP | _DOWN)
            add(x, track, _UP)
        for x in bottoms:
            add(x, track, _DOWN)
            for y in range(track + 1, end + 1):
                add(x, y, _UP | _DOWN)
        low, high = min(tops + bottoms), max(tops + bottoms)
        for x in range(low, high):
            add(x, track, _RIGHT)
            add(x + 1, track, _LEFT)
        for (x, y), found in arms.items():
            row = self._row(y)
            flat = not found & (_UP | _DOWN)
            if flat and row.get(x, (" ", ""))[0] == "│":
                continue
            row[x] = (_CHARS[found], "rail")

    def lines(self, indent: int = 0) -> list[Line]:
        """The rows as lines of segments."""
        out: list[Line] = []
        for row in self._rows:
            end = max(row, default=-1) + 1
            cells = [row.get(x, (" ", "")) for x in range(end)]
            line: Line = [(" " * indent, "")]
            for style, group in groupby(cells, key=lambda cell: cell[1]):
                line.append(("".join(char for char, _ in group), style))
            out.append(line)
        return out
