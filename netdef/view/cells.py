"""How many terminal cells a text takes, and texts cut to fit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from unicodedata import category, combining, east_asian_width

Segment = tuple[str, str]
"""A text and the name of its style, see `palette`."""

Line = list[Segment]


@lru_cache(4096)
def _cell(char: str) -> int:
    if combining(char) or category(char) in ("Cc", "Cf", "Me", "Mn"):
        return 0
    # Ambiguous characters, × and the box characters among them, are narrow in all but a few
    # East Asian set-ups; those have the ascii form.
    return 2 if east_asian_width(char) in "WF" else 1


def width(text: str) -> int:
    """Cells that a text takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def line_width(line: Iterable[Segment]) -> int:
    """Cells that a line of segments takes."""
    return sum(width(text) for text, _ in line)


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """The text filled with spaces to `cells`; `right` puts the spaces before it."""
    space = " " * (cells - width(text))
    return space + text if right else text + space


def clip(text: str, cells: int, mark: str = "…") -> str:
    """The beginning of a text that is too long, then `mark`."""
    if width(text) <= cells:
        return text
    return _take(text, cells - width(mark)) + mark if cells >= width(mark) else _take(text, cells)


def shorten(text: str, cells: int, mark: str = "…") -> str:
    """A text that is too long without its middle: `incep…/5x5`.

    The tail gets the larger part, for names differ there.
    """
    if width(text) <= cells:
        return text
    room = cells - width(mark)
    if room < 2:
        return clip(text, cells, mark)
    head = _take(text, room * 2 // 5)
    tail = _take(text[::-1], room - width(head))[::-1]
    return head + mark + tail


def shorten_all(texts: Iterable[str], cells: int, mark: str = "…") -> dict[str, str]:
    """Each text shortened; different texts stay different, by a number at the end if need be."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for text in texts:
        if text in found:
            continue
        short, number = shorten(text, cells, mark), 2
        while short in taken:
            tail = f"~{number}"
            short, number = shorten(text, max(cells - len(tail), 1), mark) + tail, number + 1
        found[text] = short
        taken.add(short)
    return found


def wrap(text: str, cells: int) -> list[str]:
    """Lines of at most `cells`, broken at spaces; a longer word is cut."""
    lines = [""]
    for word in text.split():
        while width(word) > cells:
            if lines[-1]:
                lines.append("")
            lines[-1] = _take(word, cells)
            word = word[len(lines[-1]) :]
            lines.append("")
        if not lines[-1]:
            lines[-1] = word
        elif width(lines[-1]) + 1 + width(word) <= cells:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return [line for line in lines if line]


def clip_line(line: Line, cells: int, mark: str = "…") -> Line:
    """A line of segments cut to `cells`; spaces at its end count for nothing."""
    line = list(line)
    while line and not line[-1][0].strip():
        line.pop()
    if line:
        line[-1] = (line[-1][0].rstrip(), line[-1][1])
    if line_width(line) <= cells:
        return line
    out: Line = []
    room = cells - width(mark)
    for text, style in line:
        part = _take(text, room)
        out.append((part, style))
        room -= width(part)
        if part != text:
            out.append((mark, style))
            break
    return out


def _take(text: str, cells: int) -> str:
    """The longest beginning that takes at most `cells`."""
    if text.isascii():
        return text[: max(cells, 0)]
    used = 0
    for index, char in enumerate(text):
        used += _cell(char)
        if used > cells:
            return text[:index]
    return text
