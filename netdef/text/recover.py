"""Reading a text around its mistakes: one report for each, and as much of the tree as stands.

Panic mode over lark's parse tables. At a token that fits nowhere the mistake is reported; then
either what is missing is put in (a colon, a comma, a closer), or the parser's stack is cut back
to the message it was in and tokens are dropped up to one that can begin a field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from netdef.diag import Fix, Label, Problem, Source, Span
from netdef.text import syntax_words as words
from netdef.text.blocks import CHARS, CLOSERS, Opener, is_binary, surplus_closers
from netdef.text.capped import Reports
from netdef.text.lexer import FieldToken, MadeToken, Token
from netdef.text.relex import Relexer
from netdef.text.stack import Stack
from netdef.text.tree import Item, Tree

_INDENT = re.compile(r"[ \t]*")
_VALUES = ("NUMBER", "MINUS", "STRING", "JUNK")
# After a mistake so many tokens must fit before another on the same line counts as a new one.
_SETTLED = 3
# What people write is not nested so deep; asking what a block has takes longer the deeper it is.
_DEEPEST_CHECKED = 32


class Recovery:
    """One reading of a text that has mistakes."""

    def __init__(
        self,
        source: Source,
        report: Reports,
        expects: Callable[[tuple[str, ...], str], bool] | None,
    ) -> None:
        self.source = source
        self.text = source.text
        self.report = report
        self.expects = expects
        self.lexer = Relexer(source, report)
        self.stack = Stack()
        self.opens: list[Opener] = []
        self.just_closed: Opener | None = None  # the last token closed it
        self.suspect: tuple[Opener, Token] | None = None
        self.last: Token = MadeToken("", "", 0, 0)
        self.last_name: Token = self.last
        self.fit = _SETTLED  # tokens that fitted since the last mistake
        self.fault_line = 0
        self.commas_told: set[int] = set()
        self.surplus = surplus_closers(self.text)

    def run(self) -> Tree:
        """The tree of what could be read."""
        if is_binary(self.text):
            self.report.add(words.binary(self.source))
            return Tree([])
        tokens = self.lexer.tokens()
        for token in tokens:
            self._take(token, tokens)
        items = self._end()
        return Tree(items, frozenset(self.lexer.damaged))

    def _take(self, token: Token, tokens: Iterator[Token]) -> None:
        """Feed a token, or deal with it."""
        again: Token | None = token
        while again is not None:
            self._check_closed(again)
            self._check_column(again)
            if self._feed(again):
                return
            again = self._mend(again, tokens)

    def _feed(self, token: Token) -> bool:
        """Give the parser a token and keep count of what is open; whether it fitted."""
        self.just_closed = None  # even a token that does not fit may reduce what is closed
        if not self.stack.feed(token):
            return False
        type_ = token.type
        if type_ in CLOSERS:
            named = token if type_ == "OPEN" else self.last_name
            inside = bool(self.opens) and self.opens[-1].closer == "RBRACKET"
            start = token.start if inside else named.start
            name = "" if inside else named.name
            self.opens.append(Opener(token, name, start, self._indent(start)))
        elif type_ in CHARS:
            closed = self.opens.pop()
            self._closed(closed, token)
            if token.text and closed.name and type_ != "RBRACKET":
                self.just_closed = closed
        elif type_ == "NAME":
            self.last_name = token
        self.last = token
        self.fit += 1
        return True

    def _closed(self, opener: Opener, token: Token) -> None:
        """Notice a closer that stands under another block's opener than its own."""
        if not self.opens:
            self.suspect = None
        elif self.suspect is None and self._first_on_line(token.start):
            column = token.start - self._line_start(token.start)
            outer = any(column == other.indent for other in self.opens)
            if column < opener.indent and outer:
                self.suspect = (opener, token)

    # A closer too many shows where a block's field follows the block.

    def _check_closed(self, token: Token) -> None:
        """Open the block before a token again where it was closed too early."""
        closer, opener = self.last, self.just_closed
        if token.type not in ("FIELD", "OPEN", "NAME") or opener is None or self.surplus <= 0:
            return
        if len(self.opens) > _DEEPEST_CHECKED:
            return
        blocks = tuple(o.name for o in self.opens)
        expects = self.expects
        if expects is None or expects(blocks, token.name):
            return
        if not expects((*blocks, opener.name), token.name):
            return
        self.surplus -= 1
        self.just_closed = None
        # The closer is on top of the stack still: no token after it has reduced the block.
        self.stack.pop()
        self.opens.append(opener)
        place = Span(self.source, token.start, token.name_end)
        opened = self._opener_span(opener)
        self.report.add(words.closed_early(self._span(closer), opened, opener.name, place))

    # A missing closer shows where a top-level field begins a line inside a block.

    def _check_column(self, token: Token) -> None:
        if token.type not in ("FIELD", "OPEN", "NAME"):
            return
        if not 0 < len(self.opens) <= _DEEPEST_CHECKED:
            return
        start = token.start
        if (start and self.text[start - 1] != "\n") or not self.stack.can_start:
            return
        blocks = tuple(opener.name for opener in self.opens)
        if self.expects is None:
            astray = token.name == blocks[0] and self.opens[0].indent == 0
        else:
            astray = self.expects((), token.name) and not self.expects(blocks, token.name)
        if astray:
            self._unclosed(token)
            self._close_all()

    def _unclosed(self, token: Token | None) -> None:
        """Report what was left open when a top-level field, or the end, comes."""
        labels: list[Label] = []
        if self.suspect is not None:
            opener, closer = self.suspect
            # the one it stands under may have been closed since
            under = next((o for o in reversed(self.opens) if self._under(closer, o)), None)
            if under is not None:
                text = f"this `{closer.text}` stands under `{under.name}`"
                labels.append(Label(self._span(closer), text))
        else:
            opener = self.opens[-1]
            for other in reversed(self.opens[:-1]):
                labels.append(Label(self._opener_span(other), "this is open as well"))
        if token is not None:
            place = Span(self.source, token.start, token.name_end)
            labels.append(Label(place, f"`{token.name}` begins here, at the top level"))
        name = f"`{opener.name} {opener.char}`" if opener.name else f"`{opener.char}`"
        place = self._opener_span(opener)
        self.report.add(words.unclosed(place, name, CHARS[opener.closer], labels[:4]))
        self.suspect = None

    def _under(self, closer: Token, opener: Opener) -> bool:
        return closer.start - self._line_start(closer.start) == opener.indent

    def _close_all(self) -> None:
        while self.opens:
            self._force(self.opens[-1].closer)

    def _force(self, type_: str) -> None:
        """Feed a token that is not there, dropping what is half read before it."""
        token = MadeToken(type_, "", self.last.end, self.last.end)
        while not self._feed(token):
            self.stack.pop()

    def _end(self) -> list[Item]:
        if self.opens:
            self._unclosed(None)
            self._close_all()
        if not self.stack.can_start:
            self._tell(MadeToken("$END", "", len(self.text), len(self.text)))
            self._drop_half()
        return self.stack.finish()

    # A token that does not fit.

    def _mend(self, token: Token, tokens: Iterator[Token]) -> Token | None:
        """Report a token that does not fit; the one to go on with, None where it is done with."""
        type_ = token.type
        if token.start in self.lexer.mended:
            return self._panic(token, tokens)
        if type_ in CHARS:
            return self._mend_closer(token)
        if type_ in ("COMMA", "SEMICOLON"):
            self._tell(token, fix=Fix(self._span(token), ""))
            return None
        if self._in_list() and self._mend_list(token):
            return token
        if type_ in ("LBRACE", "LANGLE") and self._mend_element():
            return token
        if type_ in _VALUES and self.stack.accepts("COLON"):
            name = self.last.name
            shown = self.text[token.start : token.end]
            self._tell(
                token,
                help=f"write `{name}: {shown}`" if "\n" not in shown else "",
                fix=Fix(Span(self.source, self.last.end, self.last.end), ":"),
            )
            self.lexer.damaged.add(self.last_name.start)
            self._feed(MadeToken("COLON", "", self.last.end, self.last.end))
            return token
        self._tell(token, help=self._hint(token))
        return self._panic(token, tokens)

    def _mend_closer(self, token: Token) -> Token | None:
        inner = self.opens[-1] if self.opens else None
        around = self.opens[-2] if len(self.opens) > 1 else None
        if inner and around and token.type == "RBRACKET" == around.closer and self.stack.can_start:
            self._close_element(inner)
            return token
        if inner is None or (token.type == "RBRACKET" and inner.closer != "RBRACKET"):
            if self.stack.can_start:
                self._fault(token, words.stray(self._span(token)))
            else:
                self._tell(token)
                self._drop_half()
            return None
        if inner.closer == token.type:  # something is missing before it
            hint = "remove the `,` before it" if self.last.type == "COMMA" else ""
            inside = self.text[inner.token.end : token.start].strip()
            if self.last.type == "NAME" and inside == self.last.text:
                hint = f"if `{{{inside}}}` is a template's placeholder, write the value"
            comma = self.last.type == "COMMA"
            self._tell(token, help=hint, fix=Fix(self._span(self.last), "") if comma else None)
            self._damage(token)
            if inner.closer == "RBRACKET":
                self._force("RBRACKET")
                return None
            self._drop_half()
            return token
        if inner.closer == "RBRACKET" and any(o.closer == token.type for o in self.opens[:-1]):
            self._fault(self.last, words.list_unclosed(self._opener_span(inner), inner.name))
            self._force("RBRACKET")
            return token
        opened, closer = self._opener_span(inner), CHARS[inner.closer]
        self._fault(token, words.mismatched(self._span(token), opened, inner.char, closer))
        self._force(inner.closer)
        return None

    def _mend_list(self, token: Token) -> bool:
        """Put in what a list lacks before a token; False where that does not help."""
        inner = self.opens[-1]
        after = re.compile(r"[\s]*[:{<\[]").match(self.text, token.end)
        if token.type in ("FIELD", "OPEN") or (token.type == "NAME" and after):
            self._fault(self.last, words.list_unclosed(self._opener_span(inner), inner.name))
            self._force("RBRACKET")
            return True
        if token.type not in (*_VALUES, "NAME", "LBRACE", "LANGLE") or not self.stack.accepts(
            "COMMA"
        ):
            return False
        if inner.start not in self.commas_told:
            self.commas_told.add(inner.start)
            self._tell(
                token,
                help="write `,` between the values of a list",
                fix=Fix(Span(self.source, self.last.end, self.last.end), ","),
            )
        self._force("COMMA")
        return True

    def _mend_element(self) -> bool:
        """Close an element of a list before the next one; False where there is none to close."""
        if len(self.opens) < 2 or self.opens[-2].closer != "RBRACKET" or not self.stack.can_start:
            return False
        self._close_element(self.opens[-1])
        self._force("COMMA")
        return True

    def _close_element(self, opener: Opener) -> None:
        what = f"`{opener.char}` in the list"
        place = self._span(opener.token)
        self._fault(self.last, words.unclosed(place, what, CHARS[opener.closer], []))
        self._force(opener.closer)

    def _panic(self, token: Token, tokens: Iterator[Token]) -> Token | None:
        """Cut back to the message around and drop tokens up to one that can begin a field."""
        self._damage(token)
        self._drop_half()
        current: Token | None = token
        depth = 0
        while current is not None:
            type_ = current.type
            if depth == 0 and (
                type_ in ("FIELD", "OPEN", "CLOSE", "RANGLE")
                or (type_ == "NAME" and self._first_on_line(current.start))
            ):
                # What was itself refused in this state would be refused for ever.
                if current is not token or self.stack.accepts(type_):
                    return current
            elif type_ in CLOSERS:
                depth += 1
            elif type_ in CHARS and depth:
                depth -= 1
            current = next(tokens, None)
        return None

    def _damage(self, token: Token) -> None:
        """Mark what stands beside a mistake on its line: its value is not what was meant."""
        line = self._line_start(token.start)
        if self.opens and self.opens[-1].start >= line:
            self.lexer.damaged.add(self.opens[-1].start)
        if token.type in ("FIELD", "OPEN"):
            self.lexer.damaged.add(token.start)
        for value in reversed(self.stack.values):
            # The newest item is either still on the stack itself, or the last of a list of items.
            newest = value[-1] if isinstance(value, list) and value else value
            start: int = getattr(newest, "start", -1)
            if isinstance(value, Token) and not isinstance(value, FieldToken):
                continue
            if start >= line:
                self.lexer.damaged.add(start)
            if isinstance(value, list):
                break

    def _drop_half(self) -> None:
        """Forget the field that is half read."""
        values = self.stack.values
        while self._in_list():
            # Down to the list's opener: elements before it could be taken for fields.
            opener = self.opens.pop()
            while values[-1] is not opener.token:
                self.stack.pop()
            self.stack.pop()
        while not self.stack.can_start:
            self.stack.pop()

    def _in_list(self) -> bool:
        return bool(self.opens) and self.opens[-1].closer == "RBRACKET"

    # What is said.

    def _tell(self, token: Token, help: str = "", fix: Fix | None = None) -> None:
        """Report a token that does not fit, once per mistake."""
        line = self.source.position(token.start).line
        settled = self.fit >= _SETTLED or line != self.fault_line
        self.fit, self.fault_line = 0, line
        if "STRING" in (token.type, self.last.type) or self.last.text[-1:] in ("'", '"'):
            self.lexer.quiet_line = line
        if not settled:
            return
        after = words.token(self.last) if self.last.type and not self.stack.can_start else ""
        place = self._span(token)
        if token.type in ("FIELD", "OPEN"):
            place = Span(self.source, token.start, token.name_end)
        elif token.type == "$END":
            place = self._span(self.last)
        ended = token.type == "$END"
        wanted, got = self._wanted(), words.token(token)
        fixes = () if fix is None else (fix,)
        self.report.add(words.unexpected(place, wanted, got, after, help, end=ended, fixes=fixes))

    def _hint(self, token: Token) -> str:
        """What to write for what people are known to write instead."""
        last = self.last
        comma = self.text[last.end : token.start] == ","
        if token.type == "NUMBER" and last.type == "FIELD" and comma:
            whole = self.text[last.match.start(last.match.lastindex or 0) : last.end]
            return f"write `{last.name}: {whole}.{token.text}`"
        if token.type == "OPEN" and self.last.type == "NAME":
            return f'write `{self.last.name} {{ name: "{token.name}"`'
        if token.type != "LBRACE" or not self.stack.can_start:
            return ""
        if self.last.type == "FIELD":
            return f"a block follows the name of its field: `{self.last.name} {{`"
        return "" if self.opens else "a file is a row of fields, with no braces around them"

    def _wanted(self) -> str:
        """What could stand here, in words."""
        if self.stack.can_start:
            closer = f" or `{CHARS[self.opens[-1].closer]}`" if self.opens else ""
            return f"the name of a field{closer}"
        if self.stack.accepts("COLON"):
            return "`:` or `{`"
        if self.stack.accepts("COMMA"):
            return "`,` or `]`"
        if self.stack.accepts("STRING"):
            return "a value or `]`" if self.stack.accepts("RBRACKET") else "a value"
        return "a number"

    def _fault(self, token: Token, problem: Problem) -> None:
        """Report a mistake at a token."""
        self.report.add(problem)
        self.fit, self.fault_line = 0, self.source.position(token.start).line

    # Places.

    def _span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def _opener_span(self, opener: Opener) -> Span:
        return Span(self.source, opener.start, opener.token.end)

    def _line_start(self, offset: int) -> int:
        return offset - self.source.position(offset).column + 1

    def _indent(self, offset: int) -> int:
        start = self._line_start(offset)
        found = _INDENT.match(self.text, start)
        return found.end() - start if found else 0

    def _first_on_line(self, offset: int) -> bool:
        while offset and self.text[offset - 1] in " \t":
            offset -= 1
        return offset == 0 or self.text[offset - 1] == "\n"
