"""Texts that mistakes point into: a source, and a span of its characters."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a text as people count it: line and column from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the name it is shown under, a path as the user gave it.

    Compared by identity: two reads of one file are two sources.
    """

    name: str
    text: str = field(repr=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        starts.extend(i + 1 for i, char in enumerate(self.text) if char == "\n")
        return starts

    def position(self, offset: int) -> Position:
        """Line and column of a character offset; an offset past the end is the end."""
        offset = min(offset, len(self.text))
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line break."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def begin(self) -> Position:
        """Where the span's first character stands."""
        return self.source.position(self.start)

    @property
    def finish(self) -> Position:
        """Where the first character after the span stands."""
        return self.source.position(self.end)

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        line, column = self.begin
        return f"{self.source.name}:{line}:{column}"
