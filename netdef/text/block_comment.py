"""Comments as C has them, `/* ... */`, written as the text format has them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NOTHING_MORE = re.compile(r"[ \t\r\f\v]*+(?:\n|\Z)")


def as_hashes(text: str, start: int, end: int) -> str | None:
    """What to write in place of a comment on one or more lines.

    Args:
        text: that the comment is in.
        start: offset of its `/*`.
        end: offset after its `*/`.

    Returns:
        The same words behind `#`, below each other; stars that led the lines go, and so do a
        first and a last line without words. None where something follows on the last line: it
        would become part of the comment.
    """
    inside = text[start + 2 : end - 2]
    if not _NOTHING_MORE.match(text, end) or "\0" in inside:
        return None
    first, *others = (line.rstrip() for line in inside.split("\n"))
    before = text[text.rfind("\n", 0, start) + 1 : start]
    margin = _margin([line for line in others if line])
    lines = [_commented(_without_star(first), apart=False)]
    lines += [_commented(_without_star(line[len(margin) :]), apart=True) for line in others]
    if len(lines) > 1 and lines[0] == "#":
        del lines[0]
    if len(lines) > 1 and lines[-1] == "#":
        del lines[-1]
    line_end = "\r\n" if "\r\n" in inside else "\n"
    return (line_end + (margin if before.strip(" \t") else before)).join(lines)


def _margin(lines: Sequence[str]) -> str:
    """The blanks that all lines begin with."""
    blanks = sorted(line[: len(line) - len(line.lstrip(" \t"))] for line in lines)
    if not blanks:
        return ""
    first, last = blanks[0], blanks[-1]  # what these share lies between them, too
    same = next((i for i, c in enumerate(first) if last[i] != c), len(first))
    return first[:same]


def _without_star(words: str) -> tuple[str, bool]:
    """A line without the star before it, and whether it had one."""
    starred = words == "*" or words.startswith(("* ", "*\t"))
    return (words[1:], True) if starred else (words, False)


def _commented(words: tuple[str, bool], *, apart: bool) -> str:
    """A line behind `#`; `apart` puts a blank between also where the words begin with one."""
    line, starred = words
    if not line:
        return "#"
    blank = line[0] in " \t" and (starred or not apart)
    return f"#{line}" if blank else f"# {line}"
