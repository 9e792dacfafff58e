"""Columns that fit a width: what is left out first, and how long names may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from netdef.view.cells import Line, pad, shorten_all, width

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        head: its heading.
        right: its texts end in line, as numbers do.
        least: cells to which its texts may be shortened in the middle; 0: never.
        style: of its texts.
    """

    head: str
    right: bool = False
    least: int = 0
    style: str = ""


Cells = Mapping[str, str]


def fit(
    columns: Mapping[str, Column],
    rows: Sequence[Cells],
    room: int,
    drop: Sequence[str] = (),
    least: int = 0,
) -> dict[str, int]:
    """Width of each column that stays.

    Args:
        columns: by name, in order.
        rows: texts by column name; a missing one is empty.
        room: cells for all of it.
        drop: names of columns to leave out, the first one first.
        least: no text is shortened below this, whatever its column allows.
    """
    widths = {
        name: max([width(column.head), *(width(row.get(name, "")) for row in rows)])
        for name, column in columns.items()
        if any(row.get(name) for row in rows)
    }
    roomy = {n: max(c.least, least, room * 2 // 5) for n, c in columns.items() if c.least}
    _shrink(widths, roomy, room)
    for name in drop:
        if _total(widths) <= room:
            break
        widths.pop(name, None)
    _shrink(widths, {n: max(c.least, least) for n, c in columns.items() if c.least}, room)
    return widths


def _shrink(widths: dict[str, int], least: Mapping[str, int], room: int) -> None:
    """Take what is too much from the columns that may be shortened, the widest first."""
    for name in sorted(least.keys() & widths.keys(), key=lambda n: -widths[n]):
        over = _total(widths) - room
        if over > 0:
            widths[name] = min(widths[name], max(widths[name] - over, least[name]))


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + GAP * max(len(widths) - 1, 0)


def shortened(
    widths: Mapping[str, int], columns: Mapping[str, Column], rows: Sequence[Cells]
) -> Callable[[str, str], str]:
    """A function that gives a cell's text as it fits: `(column, text) -> text`."""
    short = {
        name: shorten_all((row.get(name, "") for row in rows), cells)
        for name, cells in widths.items()
        if columns[name].least
    }
    return lambda name, text: short.get(name, {}).get(text, text)


def lines(
    columns: Mapping[str, Column], rows: Sequence[Cells], room: int, drop: Sequence[str]
) -> list[Line]:
    """The table, one cell from the left edge: a heading, then a line for each row."""
    widths = fit(columns, rows, room - 1, drop)
    short = shortened(widths, columns, rows)
    head: Line = [(" ", "")]
    for name, cells in widths.items():
        text = columns[name].head
        head += [(pad(text, cells, right=columns[name].right) + " " * GAP, "head")]
    out = [head]
    for row in rows:
        style = row.get("style", "")
        line: Line = [(" ", "")]
        for name, cells in widths.items():
            text = pad(short(name, row.get(name, "")), cells, right=columns[name].right)
            line.append((text + " " * GAP, style or columns[name].style))
        out.append(line)
    return out
