"""Tokens of a text that has mistakes in it: each is reported, and something put in its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from netdef.diag import Fix, Problem, Source, Span
from netdef.text import syntax_words as words
from netdef.text.block_comment import as_hashes
from netdef.text.capped import Reports
from netdef.text.lexer import (
    BAD,
    COMMENT,
    DECIMAL,
    EXTENSION,
    INTEGER,
    STRING,
    TERMINALS,
    TOKEN,
    FieldToken,
    MadeToken,
    Token,
)

_NUMBER = re.compile(r"\.?[0-9](?:[eE][+-]|[\w.])*+", re.ASCII)
_STRING = re.compile(
    r"\"(?:[^\"\\\n]|\\[^\n])*+(?P<close>\")?|'(?:[^'\\\n]|\\[^\n])*+(?P<closed>')?"
)
_ESCAPE = re.compile(
    r"\\(?:[abfnrtv?\\'\"]|[0-7]|[xX][0-9A-Fa-f]|u(?![dD][89a-fA-F])[0-9A-Fa-f]{4}"
    r"|U000(?!0[dD][89a-fA-F])[0-9A-Fa-f]{5}|U0010[0-9A-Fa-f]{4})"
)
_CONFLICT = re.compile(r"(<{7}|={7}|>{7}|\|{7})(?=[ \n\r]|$)[^\n]*+")
# What people leave without quotes: paths, addresses, names with a `-`.
_UNQUOTED = re.compile(r"[^\s\"'#{}<>\[\];,]++")
# Comments of C: right behind a number, and where a path may stand.
_SLASHES = re.compile(r"//(?![0-9])|/\*")
_SLASHES_APART = re.compile(r"//[ \t]|/\*[ \t]")
_ASSIGNED = re.compile(r"=\s*(\"[^\"\n]*\"|[^\s{};,]+)")
_TYPOGRAPHIC = {"“": "”", "”": "”", "„": "“", "‘": "’", "’": "’", "«": "»", "`": "`"}
_BEFORE_VALUE = ("", " ", "\t", "\n", "\r", '"', "'")
_MOST_BROKEN_LINES = 5
_TEMPLATE = re.compile(r"\$#?\w+#?\$|\$\{\w+\}|\$\w+|%\(\w+\)\w?|%\w+%|@\w+@|\{\{?[ ]*\w+[ ]*\}\}?")


class Relexer:
    """The tokens of a text, with mistakes mended.

    Attributes:
        mended: start offsets of tokens that a report was already made for: what goes wrong at
            them is no new mistake.
        damaged: start offsets of fields whose value is not what the author meant.
    """

    def __init__(self, source: Source, report: Reports) -> None:
        self.source = source
        self.text = source.text
        self.report = report
        self.mended: set[int] = set()
        self.damaged: set[int] = set()
        self.quiet_line = 0  # where the parser already found fault, no string can be trusted
        self._last: Token = MadeToken("", "", 0, 0)
        self._seen: set[str] = set()
        self._searched = (0, 0)  # from where to where there is no `*/`

    def tokens(self) -> Iterator[Token]:
        """All tokens, comments left out."""
        pos, text = self._begin(), self.text
        while pos < len(text):
            if text[pos] in " \t\n\r\f\v":
                pos += 1
                continue
            token, pos = self._next(pos)
            if token is not None:
                yield token
                self._last = token

    def _begin(self) -> int:
        if not self.text.startswith("\ufeff"):
            return 0
        self.report.add(words.byte_order_mark(self.source))
        return 1

    def _next(self, pos: int) -> tuple[Token | None, int]:
        """The token at an offset, None for what is skipped; and where to go on."""
        text = self.text
        if text[pos] in "<=>|" and (pos == 0 or text[pos - 1] == "\n"):
            conflict = _CONFLICT.match(text, pos)
            if conflict is not None:
                marks = conflict[0].rstrip()
                self._once("conflict", words.conflict, pos, pos + len(marks))
                other_side_ends = text.find("\n>>>>>>>", pos) + 1
                if marks.startswith("=") and other_side_ends:
                    return None, other_side_ends
                return None, conflict.end()
        glued = self._glued(pos)
        if glued is not None:
            return None, glued
        match = TOKEN.match(text, pos)
        if match is None or match.lastindex is None or match.lastindex == BAD:
            return self._bad(pos)
        if match.lastindex == COMMENT:
            end = match.end(COMMENT)
            if text.startswith("\0", end):
                self._once("\0", words.invisible, end, end + 1)
                end = (text.find("\n", end) + 1) or len(text)
            return None, end
        terminal = TERMINALS[match.lastindex] or ""
        if terminal == "STRING" or match.lastindex == STRING:
            cut = self._runs_on(*match.span(match.lastindex))
            if cut is not None:
                self.damaged.add(pos)
                self.mended.add(pos)
                made = FieldToken(match) if terminal == "FIELD" else Token(terminal, match)
                return made, cut
        if terminal == "FIELD":
            return FieldToken(match), match.end()
        if terminal == "LBRACKET" and self._last.type not in ("NAME", "COLON"):
            extension = EXTENSION.match(text, pos)
            if extension is not None:
                end = extension.end(1) + 1
                return MadeToken("NAME", text[pos:end], pos, end), extension.end()
        return Token(terminal, match), match.end()

    def _runs_on(self, start: int, end: int) -> int | None:
        """Where the field begins that a string without its closing quote has taken in."""
        if end >= len(self.text) or not (self.text[end].isalnum() or self.text[end] in "_/."):
            return None
        taken = re.search(r"\s(\w+)\s*:\s*.$", self.text[start:end], re.ASCII)
        quotes = self._line(start).count(self.text[start])
        if taken is None or quotes % 2 == 0:
            return None
        at = start + taken.start(1)
        kept = self.text[start:at].rstrip()
        self.report.add(words.runs_on(self._span(start, end), taken[1], kept))
        return at

    def _glued(self, pos: int) -> int | None:
        """Where to go on behind a value without quotes that the last token is only a part of."""
        last = self._last
        if last.type != "FIELD" or last.match.lastindex == STRING or last.end != pos:
            return None
        if self.text[pos] in "#{}<>[];,":
            return None
        if self._is_comment(pos, number=last.match.lastindex in (INTEGER, DECIMAL)):
            return None
        start = last.match.start(last.match.lastindex or 0)
        name = last.name
        self.damaged.add(last.start)
        if self.text[pos] == ":" and self.text[pos + 1 : pos + 2] in _BEFORE_VALUE:
            self.report.add(words.valueless(self._span(start, pos), name))
            return start  # the word is the name of the next field
        if self.text[pos] in "\"'":
            word = self.text[start:pos]
            end = pos + 1
            string = _STRING.match(self.text, pos)
            if len(word) == 1 and string is not None:  # b"...", r"..." as in Python
                self.report.add(words.prefixed(self._span(start, pos), name, string[0]))
                return string.end()
            self.report.add(words.unopened(self._span(start, end), name, word))
            return end
        run = _UNQUOTED.match(self.text, pos)
        end = run.end() if run else pos + 1
        self.report.add(words.unquoted(self._span(start, end), name))
        return end

    def _bad(self, pos: int) -> tuple[Token | None, int]:
        """Characters that begin no token."""
        char = self.text[pos]
        pair = self.text[pos : pos + 2]
        if char in "\"'":
            return self._string(pos)
        if _NUMBER.match(self.text, pos):
            return self._number(pos)
        if pair in ("//", "/*") and (self._last.type != "COLON" or self._is_comment(pos)):
            return None, self._slashes(pos)
        if char == "+" and _NUMBER.match(self.text, pos + 1):
            self.report.add(words.plus(self._span(pos, pos + 1)))
            return None, pos + 1
        if char == "=" and self._last.type == "NAME":
            found = _ASSIGNED.match(self.text, pos)
            value = found[1] if found else "..."
            self.report.add(words.equals(self._span(pos, pos + 1), self._last.name, value))
            return MadeToken("COLON", "=", pos, pos + 1), pos + 1
        if char in _TYPOGRAPHIC:
            return self._typographic(pos)
        if unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cf", "Cc"):
            self._once(char, words.invisible, pos, pos + 1)
            return None, pos + 1
        return self._junk(pos)

    def _junk(self, pos: int) -> tuple[Token, int]:
        template = _TEMPLATE.match(self.text, pos)
        run = template or _UNQUOTED.match(self.text, pos)
        end = run.end() if run else pos + 1
        if template is not None:
            self.report.add(words.placeholder(self._span(pos, end)))
        elif self._last.type == "COLON":
            self.report.add(words.unquoted(self._span(pos, end), self._field_name(pos)))
        else:
            self.report.add(words.strange(self._span(pos, pos + 1)))
        return self._put("JUNK", pos, end), end

    def _field_name(self, pos: int) -> str:
        """The name before the colon before an offset."""
        found = re.search(r"([A-Za-z_]\w*)\s*:\s*$", self.text[max(0, pos - 200) : pos], re.ASCII)
        return found[1] if found else "name"

    def _string(self, pos: int) -> tuple[Token, int]:
        """A string that does not end, or holds an escape that is none."""
        found = _STRING.match(self.text, pos)
        if found is None or not (found["close"] or found["closed"]):
            return self._open_string(pos)
        end = found.end()
        at = pos + 1
        while at < end - 1:
            if self.text[at] == "\0":
                self.report.add(words.invisible(self._span(at, at + 1)))
                break
            if self.text[at] == "\\":
                escape = _ESCAPE.match(self.text, at)
                if escape is None:
                    place = self._span(at, min(at + 2, end - 1))
                    self.report.add(words.escape(place, self.text[at + 1]))
                    break
                at = escape.end()
            else:
                at += 1
        return self._put("JUNK", pos, end), end

    def _open_string(self, pos: int) -> tuple[Token, int]:
        line_end = self.text.find("\n", pos)
        end = len(self.text) if line_end < 0 else line_end
        end = max(pos + 1, pos + len(self.text[pos:end].rstrip()))
        after = self._broken_string_end(pos, line_end) or end
        if self.source.position(pos).line != self.quiet_line:
            said = words.broken if after > end else words.unended
            self.report.add(said(self._span(pos, end)))
        return self._put("JUNK", pos, after), after

    def _broken_string_end(self, pos: int, line_end: int) -> int | None:
        """Where a string that was meant to hold line breaks ends; None where it just lacks a quote.

        Its end is told by a line with an odd number of its quotes, before any line that looks
        like a field.
        """
        quote = self.text[pos]
        start = line_end + 1
        for _ in range(_MOST_BROKEN_LINES):
            if not 0 < start < len(self.text):
                return None
            line = self.text[start : (self.text.find("\n", start) + 1) or len(self.text)]
            if re.match(r"\s*(\w+\s*[:{<]|[}>])", line):
                return None
            if line.count(quote) % 2:
                return start + line.index(quote) + 1
            if quote in line:
                return None
            start += len(line)
        return None

    def _number(self, pos: int) -> tuple[Token, int]:
        found = _NUMBER.match(self.text, pos)
        end = found.end() if found else pos + 1
        self.report.add(words.number(self._span(pos, end)))
        return self._put("JUNK", pos, end), end

    def _is_comment(self, pos: int, *, number: bool = False) -> bool:
        """Whether slashes right behind a value, or in its place, can only begin a comment of C."""
        found = (_SLASHES if number else _SLASHES_APART).match(self.text, pos)
        if found is None or number or found[0].startswith("//"):
            return found is not None
        closed = self._closed(pos)
        where = self.source.position
        return closed is not None and where(pos).line == where(closed).line

    def _closed(self, pos: int) -> int | None:
        """Where the `/*` at an offset ends, if it does; each stretch is searched once."""
        begun, closer = self._searched
        if not begun <= pos + 2 <= closer:
            closer = self.text.find("*/", pos + 2)
            closer = len(self.text) if closer < 0 else closer
            self._searched = (pos + 2, closer)
        return None if closer == len(self.text) else closer + 2

    def _slashes(self, pos: int) -> int:
        line_end = self.text.find("\n", pos)
        end = len(self.text) if line_end < 0 else line_end
        mended: str | None = "#"
        mark = comment = self._span(pos, pos + 2)
        if self.text[pos + 1] == "*":
            closed = self._closed(pos)
            end = closed or end
            comment = self._span(pos, end)
            mended = as_hashes(self.text, pos, end) if closed else None
        fix = None if mended is None else Fix(comment, mended)
        self.report.add(words.slashes(mark, fix))
        return end

    def _typographic(self, pos: int) -> tuple[Token, int]:
        line_end = self.text.find("\n", pos)
        limit = len(self.text) if line_end < 0 else line_end
        closer = self.text.find(_TYPOGRAPHIC[self.text[pos]], pos + 1, limit)
        run = _UNQUOTED.match(self.text, pos)
        end = closer + 1 if closer >= 0 else run.end() if run else pos + 1
        self.report.add(words.typographic(self._span(pos, end), "".join(_TYPOGRAPHIC)))
        return self._put("JUNK", pos, end), end

    def _once(self, kind: str, said: Callable[[Span], Problem], start: int, end: int) -> None:
        """Report what tends to come in hundreds the first time only."""
        if kind not in self._seen:
            self._seen.add(kind)
            self.report.add(said(self._span(start, end)))

    def _put(self, type_: str, start: int, end: int) -> Token:
        self.mended.add(start)
        return MadeToken(type_, self.text[start:end], start, end)

    def _span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def _line(self, offset: int) -> str:
        return self.source.line(self.source.position(offset).line)
