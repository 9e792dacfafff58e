"""A text to its syntax tree: quickly while nothing is wrong, with care once something is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netdef.diag import Source
from netdef.text import grammar
from netdef.text.capped import Reports
from netdef.text.lexer import COMMENT, TERMINALS, TOKEN, FieldToken, Token
from netdef.text.tree import Item, Tree

# Which of these names may stand in the message that these blocks, outermost first, lead to.
Expects = Callable[[tuple[str, ...], str], bool]


def parse_tree(source: Source, report: Reports, expects: Expects | None = None) -> Tree:
    """Read a text.

    Args:
        source: the text.
        report: where mistakes go.
        expects: whether a block, given by the names of all blocks around, has a field; lets a
            missing brace be seen where the next top-level field begins.

    Returns:
        The tree; after mistakes, what could be read around them.
    """
    items = _quick(source.text)
    if items is not None:
        return Tree(items)
    from netdef.text.recover import Recovery  # only a text with mistakes pays for it

    return Recovery(source, report, expects).run()


def _quick(text: str) -> list[Item] | None:
    """All items of a text without mistakes; None for any other, and for extensions."""
    from lark.exceptions import UnexpectedToken

    state = grammar.begin()
    feed: Callable[[Any], None] = state.feed_token
    terminals = TERMINALS
    last = ""
    try:
        for match in TOKEN.finditer(text):
            terminal = terminals[match.lastindex]  # type: ignore[index]
            if terminal == "FIELD":
                feed(FieldToken(match))
            elif terminal is not None:
                if terminal == "LBRACKET" and last not in ("NAME", "COLON"):
                    return None
                feed(Token(terminal, match))
            elif match.lastindex == COMMENT:
                continue
            else:
                return None
            last = terminal
        return grammar.finish(state)
    except UnexpectedToken:
        return None
