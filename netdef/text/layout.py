"""A text's fields with the comments and blank lines that belong to them.

A comment alone on its line belongs to what follows it, one behind something to that. Comments
inside a field, where a canonical layout has no place, go before it. What is made of the entries
as text is in `write`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netdef.diag import Source
from netdef.text.lexer import FieldToken
from netdef.text.tree import Block, Item, ListField, Scalar, Tree, comments, name_token

_SPACE = " \t\r\f\v"


@dataclass(slots=True)
class Entry:
    """A field, an element of a list, or the whole text, with what stands around it.

    Attributes:
        name: of the field; "" for an element of a list and for the whole text.
        parts: a scalar's value; several only for strings that stand side by side.
        children: a message's fields; None where it is no message.
        elements: of a list of scalars; None where it is no list.
        before: comments on lines of their own before it; "" is a blank line.
        opening: comment behind the `{` or `[`; "" for none.
        after: comment behind it on its line; "" for none.
        end: comments before the `}` or `]`, or at the end of the text.
        start: offset of its name, or of the element, in the text; -1 where it is in none.
    """

    name: str
    parts: tuple[str, ...] = ()
    children: list[Entry] | None = None
    elements: list[Entry] | None = None
    before: list[str] = field(default_factory=list)
    opening: str = ""
    after: str = ""
    end: list[str] = field(default_factory=list)
    start: int = -1

    @property
    def commented(self) -> bool:
        """Whether it has a comment of its own, apart from those inside."""
        return bool(any(self.before) or self.opening or self.after or any(self.end))


def read_layout(source: Source, tree: Tree) -> Entry:
    """The whole text as one entry, whose children are its fields.

    Args:
        source: the text.
        tree: of it, without mistakes of syntax.
    """
    return _Reader(source.text).read(tree.items)


class _Reader:
    """Walks tree and comments together, by offsets; a stack of its own, as in `fill`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._comments = list(comments(text))
        self._next = 0
        self._at = 0  # the end of what was read last
        self._last: Entry | None = None  # what a comment on the same line belongs to
        self._opened = False  # whether that is its opener
        self._hold: list[str] = []  # comments for what comes next

    def read(self, items: list[Item]) -> Entry:
        """The entry of the whole text."""
        root = Entry("", children=[])
        stack: list[tuple[Entry, list[Item | Scalar], int, int]] = [(root, list(items), 0, -1)]
        while stack:
            entry, inside, index, end = stack.pop()
            if index == len(inside):
                self._close(entry, len(self._text) + 1 if end < 0 else end)
                continue
            stack.append((entry, inside, index + 1, end))
            item = inside[index]
            into = entry.children if entry.children is not None else entry.elements
            assert into is not None
            if isinstance(item, Block):
                made = self._begin(item.start, item.name.name if item.name else entry.name)
                made.children = []
                self._hoist(made, item.open)
                self._open(made, item.open + 1)
                stack.append((made, list(item.items), 0, item.end))
            elif isinstance(item, ListField):
                made = self._begin(item.start, name_of(item))
                self._hoist(made, item.open)
                self._open(made, item.open + 1)
                made.elements = []
                stack.append((made, list(item.elements), 0, item.end))
            else:
                made = self._begin(item.start, "" if isinstance(item, Scalar) else name_of(item))
                made.parts = scalar_parts(item)
                self._hoist(made, item.end)
                self._done(made, item.end)
            into.append(made)
        _spread_lists(root)
        return root

    def _begin(self, start: int, name: str) -> Entry:
        self._gather(start)
        if self._text.count("\n", self._at, start) > 1:
            self._hold.append("")
        made = Entry(name, before=self._hold, start=start)
        self._hold = []
        return made

    def _open(self, entry: Entry, at: int) -> None:
        self._last, self._opened, self._at = entry, True, at

    def _done(self, entry: Entry, at: int) -> None:
        self._last, self._opened, self._at = entry, False, at

    def _close(self, entry: Entry, end: int) -> None:
        self._gather(end)
        entry.end, self._hold = self._hold, []
        self._done(entry, end)

    def _gather(self, until: int) -> None:
        """Take the comments before an offset: one behind what was read last, then others."""
        while self._next < len(self._comments) and self._comments[self._next][0] < until:
            start, end = self._comments[self._next]
            self._next += 1
            words = self._text[start:end].rstrip(_SPACE)
            breaks = self._text.count("\n", self._at, start)
            if not breaks and self._last is not None:
                if self._opened:
                    self._last.opening = words
                else:
                    self._last.after = words
            else:
                self._hold += ["", words] if breaks > 1 else [words]
            self._last = None
            self._at = end

    def _hoist(self, entry: Entry, until: int) -> None:
        while self._next < len(self._comments) and self._comments[self._next][0] < until:
            start, end = self._comments[self._next]
            self._next += 1
            entry.before.append(self._text[start:end].rstrip(_SPACE))


def name_of(item: Item) -> str:
    """A field's name as it is written; an extension's with its brackets."""
    token = name_token(item)
    return token.name


def scalar_parts(item: Item | Scalar) -> tuple[str, ...]:
    """A scalar's value, its strings in double quotes where they hold none."""
    if isinstance(item, FieldToken):
        return (_quoted(item.match[item.match.lastindex or 0]),)
    scalar = item if isinstance(item, Scalar) else item.value  # type: ignore[union-attr]
    sign = "-" if scalar.negative else ""
    return tuple(sign + _quoted(_value_text(part.text)) for part in scalar.parts)


def _value_text(text: str) -> str:
    return text.strip(" \t\n\r\f\v")


def _quoted(text: str) -> str:
    if text.startswith("'") and '"' not in text:
        return f'"{text[1:-1]}"'
    return text


def _spread_lists(root: Entry) -> None:
    """Write a list of messages as fields one after the other, the way everybody does."""
    stack = [root]
    while stack:
        entry = stack.pop()
        spread: list[Entry] = []
        for child in entry.children or ():
            if child.elements and child.elements[0].children is not None:
                spread += _spread(child)
            else:
                spread.append(child)
        if entry.children is not None:
            entry.children = spread
            stack += [child for child in spread if child.children]


def _spread(entry: Entry) -> list[Entry]:
    elements = entry.elements or []
    first, last = elements[0], elements[-1]
    for element in elements:
        element.name = entry.name
    first.before = entry.before + ([entry.opening] if entry.opening else []) + first.before
    last.after = "  ".join(words for words in (last.after, entry.after) if words)
    last.end += entry.end
    return elements
