"""Entries to text in the canonical layout.

Two spaces for each level; a field on a line; a short message on one line, which its content
decides and not how it was written; at most one blank line, none after `{` or before `}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netdef.text.layout import Entry

Order = Mapping[str, Callable[[str], int]]
"""By a message field's name ("" for the whole text), the rank of each field in it."""

_INDENT = 2
_SHORT = 72  # columns of a message on one line, with its indentation
_FEW = 4  # fields of one
_LONGEST = 100  # columns of a list on one line


def write(root: Entry, order: Order | None = None, tall: frozenset[str] = frozenset()) -> str:
    """The text of all entries.

    Args:
        root: as `read_layout` gives it; its fields are put in order.
        order: in which messages fields are sorted, and how. Fields of the same rank stay in
            the order they have.
        tall: names of messages that are never written on one line.
    """
    return _Writer(order or {}, tall).write(root)


class _Writer:
    def __init__(self, order: Order, tall: frozenset[str]) -> None:
        self._order = order
        self._tall = tall
        self._lines: list[str] = []

    def write(self, root: Entry) -> str:
        """All lines; a stack of its own, so that no depth of nesting exhausts Python's."""
        stack: list[tuple[Entry, int, int]] = [(root, 0, -1)]
        while stack:
            entry, index, depth = stack.pop()
            children = entry.children or []
            if index == 0:
                sort_fields(entry, self._order)
                children = entry.children or []
            if index == len(children):
                self._close(entry, depth)
                continue
            stack.append((entry, index + 1, depth))
            child = children[index]
            self._comments(child.before, depth + 1, first=index == 0)
            short = self._short(child, depth + 1)
            if short is not None:
                self._line(short, depth + 1, child.after)
            elif child.children is not None:
                self._line(f"{child.name} {{", depth + 1, child.opening)
                stack.append((child, 0, depth + 1))
            else:
                self._list(child, depth + 1)
        return "".join(line + "\n" for line in self._lines)

    def _close(self, entry: Entry, depth: int) -> None:
        comments = list(entry.end)
        self._comments(comments, depth + 1, first=not entry.children)
        if depth >= 0:
            self._line("}", depth, entry.after)

    def _short(self, entry: Entry, depth: int) -> str | None:
        """A field as one line, of several rows only for long strings; None where it is not."""
        if entry.elements is not None:
            return _short_list(entry, depth)
        if entry.children is None:
            return _scalar(entry, depth)
        return None if entry.name in self._tall else _short_message(entry, depth)

    def _list(self, entry: Entry, depth: int) -> None:
        self._line(f"{entry.name}: [", depth, entry.opening)
        elements = entry.elements or []
        for index, element in enumerate(elements):
            self._comments(element.before, depth + 1, first=index == 0)
            comma = "," if index + 1 < len(elements) else ""
            self._line(_value(element, (depth + 1) * _INDENT) + comma, depth + 1, element.after)
        self._comments(entry.end, depth + 1, first=not elements)
        self._line("]", depth, entry.after)

    def _comments(self, comments: list[str], depth: int, *, first: bool) -> None:
        for words in comments:
            if words:
                self._line(words, depth)
            elif not first and self._lines and self._lines[-1]:
                self._lines.append("")
            first = False if words else first

    def _line(self, text: str, depth: int, comment: str = "") -> None:
        self._lines.append(" " * (_INDENT * depth) + text + (f"  {comment}" if comment else ""))


def _scalar(entry: Entry, depth: int) -> str:
    head = f"{entry.name}: "
    return head + _value(entry, _INDENT * depth + len(head))


def _value(entry: Entry, column: int) -> str:
    line = " ".join(entry.parts)
    if len(entry.parts) == 1 or column + len(line) <= _LONGEST:
        return line
    return ("\n" + " " * column).join(entry.parts)


def _short_list(entry: Entry, depth: int) -> str | None:
    elements = entry.elements or []
    if entry.opening or entry.end or any(e.commented for e in elements):
        return None
    text = f"{entry.name}: [{', '.join(' '.join(e.parts) for e in elements)}]"
    return text if len(text) + _INDENT * depth <= _LONGEST else None


def _short_field(entry: Entry) -> str | None:
    """A field inside a message on one line."""
    if entry.commented or entry.children is not None or len(entry.parts) > 1:
        return None
    return f"{entry.name}: {entry.parts[0]}" if entry.parts else _short_list(entry, 0)


def _short_message(entry: Entry, depth: int) -> str | None:
    room = _SHORT - _INDENT * depth
    text = ""
    closers = 0
    while entry.children is not None:
        children = entry.children
        if entry.opening or any(entry.end) or (closers and (any(entry.before) or entry.after)):
            return None
        text += f"{entry.name} {{"
        closers += 1
        if len(text) > room:
            return None
        if not children:
            text += "}"
            closers -= 1
            break
        text += " "
        if len(children) == 1 and children[0].children is not None:
            (entry,) = children
            continue
        if len(children) > _FEW:
            return None
        fields = [_short_field(child) for child in children]
        if None in fields:
            return None
        text += " ".join(field for field in fields if field is not None)
        break
    text += " }" * closers
    return text if len(text) <= room else None


def sort_fields(entry: Entry, order: Order) -> None:
    """Put a message's fields in order.

    A comment at its beginning that a blank line follows belongs to the message and stays there.
    """
    rank = order.get(entry.name)
    if rank is None or not entry.children:
        return
    old = entry.children[0]
    children = sorted(entry.children, key=lambda child: rank(child.name))
    if children[0] is not old and any(old.before) and "" in old.before:
        cut = len(old.before) - old.before[::-1].index("")
        head, old.before = old.before[:cut], old.before[cut:]
        if any(head):
            children[0].before = head + children[0].before
        else:
            old.before = head + old.before
    entry.children = children
