"""What is open while a text with mistakes is read, and what its braces say as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from netdef.text.lexer import TERMINALS, TOKEN, Token

CLOSERS = {"OPEN": "CLOSE", "LBRACE": "CLOSE", "LANGLE": "RANGLE", "LBRACKET": "RBRACKET"}
CHARS = {"CLOSE": "}", "RANGLE": ">", "RBRACKET": "]"}

_HEAD = 1024
_MOST_CONTROL = 8


@dataclass(frozen=True, slots=True)
class Opener:
    """A block or list that is open.

    Attributes:
        token: what opened it.
        name: of its field; empty for an element of a list.
        start: offset of the field.
        indent: column of the first character of its line, from 0.
    """

    token: Token
    name: str
    start: int
    indent: int

    @property
    def closer(self) -> str:
        """The terminal that closes it."""
        return CLOSERS[self.token.type]

    @property
    def char(self) -> str:
        """The character that opened it."""
        return {"CLOSE": "{", "RANGLE": "<", "RBRACKET": "["}[self.closer]


def surplus_closers(text: str) -> int:
    """How many more blocks a text closes than it opens."""
    count = 0
    for match in TOKEN.finditer(text):
        terminal = TERMINALS[match.lastindex or 0]
        if terminal in ("CLOSE", "RANGLE"):
            count += 1
        elif terminal in ("OPEN", "LBRACE", "LANGLE"):
            count -= 1
    return count


def is_binary(text: str) -> bool:
    """Whether a text is a binary file's: control characters in its head."""
    head = text[:_HEAD]
    strange = sum((c < " " and c not in "\t\n\r\f\v") or c in "\ufffd\x7f" for c in head)
    return strange > _MOST_CONTROL and strange * 16 > len(head)
