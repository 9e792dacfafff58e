"""The syntax tree: fields as they stand in the text, with offsets for places.

The tree knows no schema. `lexer.FieldToken`, a whole `name: value`, is a leaf of it as the lexer
made it; `SpreadField` is the same field written any other way. Comments are no nodes: `comments`
finds them, and offsets say what they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator

from netdef.text import lexer
from netdef.text.lexer import FieldToken, Token


class Scalar:
    """One value: a number, a word, or strings that stand side by side.

    Attributes:
        parts: its tokens; several only for strings. Types NUMBER, NAME, STRING or JUNK.
        negative: whether `-` stands before it.
        start: offset of its first character, the sign's where there is one.
    """

    __slots__ = ("negative", "parts", "start")

    def __init__(self, parts: list[Token], start: int, *, negative: bool = False) -> None:
        self.parts = parts
        self.negative = negative
        self.start = start

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.parts[-1].end


class Block:
    """A message in braces, `<>` included.

    Attributes:
        name: the field's name; None for an element of a list.
        items: the fields inside, in order.
        opener: the token that opens it: `{`, `<`, or the whole `name {`.
        end: offset after the closer.
    """

    __slots__ = ("end", "items", "name", "opener")

    def __init__(self, name: Token | None, opener: Token, items: list[Item], end: int) -> None:
        self.name = name
        self.opener = opener
        self.items = items
        self.end = end

    @property
    def start(self) -> int:
        """Offset of its first character: the name's, or the opener's in a list."""
        return (self.name or self.opener).start

    @property
    def open(self) -> int:
        """Offset of the `{` or `<`."""
        return self.opener.end - 1


class SpreadField:
    """A scalar field that is not one token: a comment inside, an escape, octal, a list element.

    Attributes:
        name: the field's name.
        value: its value.
    """

    __slots__ = ("name", "value")

    def __init__(self, name: Token, value: Scalar) -> None:
        self.name = name
        self.value = value

    @property
    def start(self) -> int:
        """Offset of the name's first character."""
        return self.name.start

    @property
    def end(self) -> int:
        """Offset after the value."""
        return self.value.end


class ListField:
    """A field whose values stand in `[]`.

    Attributes:
        name: the field's name.
        colon: whether `:` follows the name; only a list of messages may do without.
        elements: scalars or blocks, in order.
        open: offset of the `[`.
        end: offset after the `]`.
    """

    __slots__ = ("colon", "elements", "end", "name", "open")

    def __init__(
        self, name: Token, elements: list[Scalar | Block], open_: int, end: int, *, colon: bool
    ) -> None:
        self.name = name
        self.colon = colon
        self.elements = elements
        self.open = open_
        self.end = end

    @property
    def start(self) -> int:
        """Offset of the name's first character."""
        return self.name.start


Item = FieldToken | Block | SpreadField | ListField


def name_token(item: Item) -> Token:
    """The token that holds an item's name; it may hold more, `name {` or the whole field."""
    if isinstance(item, FieldToken):
        return item
    return item.name or item.opener if isinstance(item, Block) else item.name


class Tree:
    """A whole text: its top-level fields, and what reading it around mistakes left doubtful.

    Attributes:
        items: the fields, in order.
        damaged: start offsets of items that a syntax mistake, already reported, took part in.
    """

    __slots__ = ("damaged", "items")

    def __init__(self, items: list[Item], damaged: frozenset[int] = frozenset()) -> None:
        self.items = items
        self.damaged = damaged


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Start and end offsets of all comments, the `#` included, the line break not."""
    for match in lexer.TOKEN.finditer(text):
        if match.lastindex == lexer.COMMENT:
            yield match.span(lexer.COMMENT)
