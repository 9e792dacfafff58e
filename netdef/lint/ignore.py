"""Comments that turn warnings off: `# netdef: ignore N701`."""

from __future__ import annotations

import re

from netdef.diag import Problem, Severity, Source

_COMMENT = re.compile(r"#\s*netdef:\s*ignore\b[ :]*([^\n#]*)")
_CODE = re.compile(r"\bN\d{3}\b", re.IGNORECASE)
# strings and other comments are passed over: braces in them open nothing
_TOKEN = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*|[{}<>\n]")


class Ignored:
    """What the comments of a text turn off.

    A comment inside an outermost block (a layer), or behind one on its last line, holds for
    that block. One outside, on a line of its own, holds for the whole text. With codes it turns
    those off, without any it turns all off. Errors stay.

    Args:
        source: the text.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rules: list[tuple[int, int, frozenset[str]]] = []
        if "netdef:" in source.text:
            self._read(source.text)

    def covers(self, problem: Problem) -> bool:
        """Whether a comment turns a problem off."""
        span = problem.span
        if span is None or span.source is not self._source or problem.severity is Severity.ERROR:
            return False
        return any(
            start <= span.start < end and (not codes or problem.code in codes)
            for start, end, codes in self._rules
        )

    def _read(self, text: str) -> None:
        depth, begin, last_end, line_start = 0, 0, -1, 0
        last_begin = 0
        open_codes: list[frozenset[str]] = []
        for token in _TOKEN.finditer(text):
            char = token[0][0]
            if char == "\n":
                line_start = token.end()
            elif char in "{<":
                if depth == 0:
                    begin = text.rfind("\n", 0, token.start()) + 1
                    begin = max(begin, last_end)
                depth += 1
            elif char in "}>" and depth:
                depth -= 1
                if depth == 0:
                    last_begin, last_end = begin, token.end()
                    self._rules += [(begin, last_end, codes) for codes in open_codes]
                    open_codes.clear()
            elif char == "#" and (found := _COMMENT.match(token[0])):
                codes = frozenset(code.upper() for code in _CODE.findall(found[1]))
                if depth:
                    open_codes.append(codes)
                elif last_end > line_start:
                    self._rules.append((last_begin, last_end, codes))
                elif text[line_start : token.start()].strip():
                    self._rules.append((line_start, token.start(), codes))
                else:
                    self._rules.append((0, len(text) + 1, codes))
