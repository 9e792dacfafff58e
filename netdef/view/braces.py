"""Braces at the right edge of rails that tie layers with common params."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from netdef.view import words
from netdef.view.cells import width
from netdef.view.chart import Chart

_MOST = 4  # columns; further groups are told in words


class Row(Protocol):
    """A row of a drawing: which item's it is, and its cells, empty for any other row."""

    @property
    def item(self) -> int | None:
        """Index of the item."""

    @property
    def cells(self) -> Mapping[str, str]:
        """Texts by column."""


@dataclass(frozen=True, slots=True)
class Braces:
    """Marks at the right edge that tie items with common params, by the row's id."""

    columns: int
    marks: dict[int, str]
    between: dict[int, str]
    texts: dict[int, str]

    @property
    def text_width(self) -> int:
        """Cells of the longest text, with the space before it."""
        return max((1 + width(text) for text in self.texts.values()), default=0)


def tie(chart: Chart, rows: Sequence[Row]) -> tuple[Braces, dict[int, list[str]]]:
    """Braces for shared params; notes for those that find no column."""
    row_of = {row.item: number for number, row in enumerate(rows) if row.item is not None}
    ends: list[int] = []
    grid: dict[int, dict[int, str]] = {}
    texts: dict[int, str] = {}
    untied: dict[int, list[str]] = {}
    for share in sorted(chart.shares, key=lambda s: row_of[min(s.items)]):
        numbers = sorted(row_of[i] for i in share.items)
        column = next((c for c, end in enumerate(ends) if end < numbers[0]), len(ends))
        names = [f"{name} {words.shape(shape)}" for name, shape in share.params]
        if column >= _MOST:
            owner = chart.items[share.items[0]].name
            for item in share.items[1:]:
                untied.setdefault(item, []).append(f"shares {', '.join(names)} of {owner}")
            continue
        ends[column : column + 1] = [numbers[-1]]
        for number in range(numbers[0], numbers[-1] + 1):
            mark = "┤" if number in numbers[1:-1] else "│"
            mark = "┐" if number == numbers[0] else "┘" if number == numbers[-1] else mark
            grid.setdefault(number, {})[column] = mark
        spread = names if len(names) <= len(numbers) else [", ".join(names)]
        for number, text in zip(numbers, spread, strict=False):
            key = id(rows[number])
            texts[key] = f"{texts[key]}, {text}" if key in texts else text
    marks: dict[int, str] = {}
    between: dict[int, str] = {}
    for number, found in grid.items():
        mark = "".join(found.get(column, " ") for column in range(len(ends)))
        (marks if rows[number].cells else between)[id(rows[number])] = mark
    return Braces(len(ends), marks, between, texts), untied
