"""The grammar, run by lark: tokens in, syntax tree out.

lark is imported when the first text is read, never before.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from netdef.text.lexer import Token
from netdef.text.tree import Block, Item, ListField, Scalar, SpreadField

if TYPE_CHECKING:
    from lark.parsers.lalr_parser_state import ParserState


@cache
def _lark() -> Any:  # lark's own hints do not say what parse_interactive makes
    from lark import Lark
    from lark.lexer import Lexer

    class Fed(Lexer):
        """No lexer: tokens are fed one by one, see `lexer`."""

        def __init__(self, _conf: object) -> None: ...

        def lex(self, _data: object) -> Any:  # type: ignore[override]
            return iter(())

    grammar = files("netdef.text").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=Fed, transformer=Build())


def begin() -> ParserState[int]:
    """A parser at the start of a text: `feed_token` takes the tokens, `finish` ends it."""
    state: ParserState[int] = _lark().parse_interactive("").parser_state
    return state


def finish(state: ParserState[int]) -> list[Item]:
    """The top-level items, once all tokens are fed; lark's UnexpectedToken if more must come."""
    items: list[Item] = state.feed_token(Token("$END", None), is_end=True)  # type: ignore[arg-type]
    return items


class Build:
    """What lark calls when a rule is complete; its names are those of `grammar.lark`.

    Stateless, so that one parser serves all threads: the tree grows on lark's value stack.
    """

    @staticmethod
    def start(parts: list[list[Item]]) -> list[Item]:
        """The whole text."""
        return parts[0]

    @staticmethod
    def none(_parts: list[object]) -> list[object]:
        """No items yet."""
        return []

    @staticmethod
    def more(parts: list[object]) -> object:
        """One more item behind the others; a separator may follow it."""
        items: list[object] = parts[0]  # type: ignore[assignment]
        items.append(parts[1])
        return items

    @staticmethod
    def first(parts: list[object]) -> list[object]:
        """The first of several."""
        return [parts[0]]

    @staticmethod
    def then(parts: list[object]) -> object:
        """One more element behind a comma."""
        elements: list[object] = parts[0]  # type: ignore[assignment]
        elements.append(parts[2])
        return elements

    @staticmethod
    def same(parts: list[object]) -> object:
        """The one part as it is."""
        return parts[0]

    @staticmethod
    def block(parts: list[object]) -> Block:
        """`OPEN items CLOSE`."""
        opener, items, closer = parts
        return Block(opener, opener, items, closer.end)  # type: ignore[arg-type,attr-defined]

    @staticmethod
    def spread_block(parts: list[object]) -> Block:
        """`NAME [COLON] opener items closer`."""
        name, *_, opener, items, closer = parts
        return Block(name, opener, items, closer.end)  # type: ignore[arg-type,attr-defined]

    @staticmethod
    def element_block(parts: list[object]) -> Block:
        """`opener items closer` in a list."""
        opener, items, closer = parts
        return Block(None, opener, items, closer.end)  # type: ignore[arg-type,attr-defined]

    @staticmethod
    def field(parts: list[object]) -> SpreadField:
        """`NAME COLON scalar`."""
        name, _, value = parts
        return SpreadField(name, value)  # type: ignore[arg-type]

    @staticmethod
    def values(parts: list[object]) -> ListField:
        """`NAME [COLON] LBRACKET [elements] RBRACKET`."""
        colon = parts[1].type == "COLON"  # type: ignore[attr-defined]
        name, rest, closer = parts[0], parts[1 + colon : -1], parts[-1]
        elements = rest[1] if len(rest) > 1 else []
        return ListField(name, elements, rest[0].start, closer.end, colon=colon)  # type: ignore

    @staticmethod
    def scalar(parts: list[Token]) -> Scalar:
        """`[MINUS] NUMBER`, or the same with a word."""
        return Scalar(parts[-1:], parts[0].start, negative=len(parts) > 1)

    @staticmethod
    def text(parts: list[list[Token]]) -> Scalar:
        """Strings side by side."""
        return Scalar(parts[0], parts[0][0].start)
