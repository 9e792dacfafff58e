"""Where each field of a message was written.

Filling a message keeps one number a field, the offset of its token; a span is found again by
lexing there, when somebody asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from netdef.diag import Source, Span
from netdef.text.lexer import EXTENSION, TOKEN

Path = tuple[str | int, ...]
"""A field's place in a message: `("layer", 3, "convolution_param", "kernel_size", 0)`.

A repeated field is its name followed by the element's index, a singular one its name only.
"""


class Node:
    """The places of one message's fields.

    Attributes:
        start: offset of the field's name; for the whole text, 0.
        open: offset of the opener.
        end: offset after the closer.
        fields: by field name, a place, or a list of places for a repeated field.
    """

    __slots__ = ("end", "fields", "open", "start")

    def __init__(self, start: int, open_: int, end: int) -> None:
        self.start = start
        self.open = open_
        self.end = end
        self.fields: dict[str, Entry] = {}


# A scalar: the offset of its FIELD token; or offsets of name, value, and the value's end.
Place = int | tuple[int, int, int] | Node
Entry = Place | list[Place]


class SpanMap:
    """Where each field of a message was written, by its path."""

    def __init__(self, source: Source, root: Node | None = None) -> None:
        self.source = source
        self._root = root or Node(0, 0, len(source.text))
        self._aliases: tuple[tuple[Path, Path], ...] = ()
        self._base: SpanMap | None = None

    def name(self, path: Path) -> Span | None:
        """The span of a field's name; None where the text has no such field."""
        place = self._place(path)
        return None if place is None else self._name(place)

    def value(self, path: Path) -> Span | None:
        """The span of a field's value, from opener to closer for a message."""
        place = self._place(path)
        return None if place is None else self._value(place)

    def field(self, path: Path) -> Span | None:
        """The span from a field's name to the end of its value."""
        place = self._place(path)
        if place is None:
            return None
        return Span(self.source, self._name(place).start, self._value(place).end)

    def find(self, path: Path) -> Span:
        """The value span of the path, or of the nearest message around it that was written.

        Where nothing was, an empty span at the start of the text: it still names the file.
        """
        for length in range(len(path), 0, -1):
            span = self.value(path[:length])
            if span is not None:
                return span
        return Span(self.source, 0, 0)

    def with_aliases(self, mapping: Mapping[Path, Path]) -> SpanMap:
        """The same places, also under new paths.

        Args:
            mapping: new prefix to old prefix. The longest new prefix that fits a path is
                replaced before the path is looked up; aliases of this map go on working.
        """
        new = SpanMap(self.source, self._root)
        # Longest first, so that the first that fits is the longest.
        new._aliases = tuple(sorted(mapping.items(), key=lambda item: -len(item[0])))
        new._base = self
        return new

    def paths(self) -> Iterator[Path]:
        """All fields of the text, messages before what they hold; aliases are not listed."""
        stack: list[tuple[Path, Node]] = [((), self._root)]
        while stack:
            prefix, node = stack.pop()
            inner: list[tuple[Path, Node]] = []
            for name, entry in node.fields.items():
                many = isinstance(entry, list)
                for index, place in enumerate(entry if isinstance(entry, list) else [entry]):
                    path = (*prefix, name, index) if many else (*prefix, name)
                    yield path
                    if isinstance(place, Node):
                        inner.append((path, place))
            stack.extend(reversed(inner))

    @staticmethod
    def parse(dotted: str) -> Path:
        """A path from words: `param[1].lr_mult` is `("param", 1, "lr_mult")`.

        Raises:
            ValueError: where it is no path.
        """
        path: list[str | int] = []
        rest = dotted
        while rest:
            match = re.match(r"(\w+|\[[^\d\]][^\]]*\])((?:\[\d+\])?)(\.(?=.)|$)", rest)
            if match is None:
                raise ValueError(f"no field path: {dotted!r}")
            path.append(match[1])
            if match[2]:
                path.append(int(match[2][1:-1]))
            rest = rest[match.end() :]
        return tuple(path)

    def _place(self, path: Path) -> Place | None:
        asked: SpanMap | None = self
        while asked is not None:
            for new, old in asked._aliases:
                if path[: len(new)] == new:
                    path = old + path[len(new) :]
                    break
            asked = asked._base
        entry: Entry | None = self._root
        for step in path:
            if isinstance(step, int):
                inside = isinstance(entry, list) and 0 <= step < len(entry)
                entry = entry[step] if inside else None  # type: ignore[index]
            else:
                if isinstance(entry, list):  # a repeated field without index is its first
                    entry = entry[0]
                entry = entry.fields.get(step) if isinstance(entry, Node) else None
            if entry is None:
                return None
        return entry[0] if isinstance(entry, list) else entry

    def _name(self, place: Place) -> Span:
        if isinstance(place, int):
            start = place
        else:
            start = place.start if isinstance(place, Node) else place[0]
        text = self.source.text
        match = TOKEN.match(text, start)
        if match is not None and match[1] is not None:
            return Span(self.source, start, match.end(1))
        match = EXTENSION.match(text, start)
        return Span(self.source, start, start if match is None else match.end(1) + 1)

    def _value(self, place: Place) -> Span:
        if isinstance(place, Node):
            return Span(self.source, place.open, place.end)
        if isinstance(place, tuple):
            return Span(self.source, place[1], place[2])
        return value_span(self.source, place)


def value_span(source: Source, start: int) -> Span:
    """The value of the `name: value` token that starts at an offset."""
    match = TOKEN.match(source.text, start)
    if match is None or match.lastindex is None:
        return Span(source, start, start)
    return Span(source, *match.span(match.lastindex))
