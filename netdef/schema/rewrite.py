"""A changed message as text again, with the words and comments of the text it came from.

What a change left alone is written as it was; of what it changed, the values are new and the
comments stay where the places of the fields say they belong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from netdef.diag import Report, Source, Span
from netdef.schema.field_order import ORDER, TALL
from netdef.schema.netdef_pb2 import NetParameter, SolverParameter
from netdef.schema.problems import LayoutChangesMeaning
from netdef.schema.spell import spell
from netdef.text import Path, SpanMap, fill, parse_tree
from netdef.text.layout import Entry, read_layout
from netdef.text.write import write


class Places(Protocol):
    """Where fields of the changed message stand in the text; a SpanMap is one."""

    def field(self, path: Path) -> Span | None:
        """From a field's name to the end of its value."""

    def value(self, path: Path) -> Span | None:
        """A field's value."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the text says at an entry."""

    entry: Entry
    field: Any
    value: Any


def rewrite(
    source: Source,
    message: NetParameter | SolverParameter,
    places: Places,
    report: Report,
    *,
    keep_all_comments: bool = True,
    notes: Mapping[Path, list[str]] | None = None,
) -> str | None:
    """Write a message in canonical layout.

    Args:
        source: the text it came from, without mistakes.
        message: as it is now.
        places: where its fields stand in the text.
        report: where a mistake of netdef's own goes.
        keep_all_comments: also those of what is no longer there.
        notes: comment lines to put before the fields of these paths.

    Returns:
        The text; None where it does not read back as the message.
    """
    tree = parse_tree(source, Report())
    root = read_layout(source, tree)
    raw = type(message)()
    raw_places = fill(source, raw, Report())
    writer = _Rewriter(root, raw, raw_places, places, notes or {})
    writer.run(message)
    if keep_all_comments:
        writer.adopt_comments()
    text = write(writer.made, ORDER, TALL)
    again = type(message)()
    found = Report()
    fill(Source(source.name, text), again, found)
    wanted = message.SerializePartialToString(deterministic=True)
    if not found.ok or again.SerializePartialToString(deterministic=True) != wanted:
        report.add(
            LayoutChangesMeaning(
                f"what would be written for `{source.name}` does not read back as it should"
            )
        )
        return None
    return text


class _Rewriter:
    def __init__(
        self,
        root: Entry,
        raw: Any,
        raw_places: SpanMap,
        places: Places,
        notes: Mapping[Path, list[str]],
    ) -> None:
        self._root = root
        self._places = places
        self._notes = notes
        self._entries = {entry.start: entry for entry, _ in _walk(root)}
        self._origins: dict[int, _Origin] = {}
        self._claimed: dict[int, Entry] = {}  # by start of the old entry, the new one
        self.made = Entry("", children=[], end=root.end)
        for path in raw_places.paths():
            entry = self._entry(raw_places, path)
            if entry is not None:
                self._origins[entry.start] = _Origin(entry, *_look(raw, path))

    def run(self, message: Any) -> None:
        """Make the entries of all fields."""
        self.made.children = self._fields(message, ())

    def adopt_comments(self) -> None:
        """Give the comments of entries that are gone to what stands around or behind them."""
        homeless: list[str] = []
        for entry, around in _walk(self._root):
            new = self._claimed.get(entry.start)
            if new is not None:
                if around is None and homeless:
                    new.before[:0] = homeless
                    homeless = []
                continue
            words = [w for w in (*entry.before, entry.opening, entry.after, *entry.end) if w]
            if not words:
                continue
            while around is not None and around.start not in self._claimed:
                around = self._around.get(around.start)
            if around is None:
                homeless += words
            else:
                self._claimed[around.start].before += words
        self.made.end[:0] = homeless

    @property
    def _around(self) -> dict[int, Entry | None]:
        return {entry.start: around for entry, around in _walk(self._root)}

    def _fields(self, message: Any, path: Path) -> list[Entry]:
        placed: list[tuple[float, Entry]] = []
        for field, value in message.ListFields():
            many = hasattr(value, "extend") or hasattr(value, "add")
            elements = list(value) if many else [value]
            paths: list[Path] = [
                (*path, field.name, index) if many else (*path, field.name)
                for index in range(len(elements))
            ]
            origins = [self._origin(at) for at in paths]
            places = [float(o.entry.start) for o in origins if o is not None]
            # what is in no text goes with its neighbours of the same name, or last; the order
            # of one name's fields stays
            place = places[0] if places else float("inf")
            for element, at, origin in zip(elements, paths, origins, strict=True):
                if origin is not None:
                    place = max(place, origin.entry.start)
                placed.append((place, self._field(field, element, at, origin)))
        return [entry for _, entry in sorted(placed, key=lambda one: one[0])]

    def _field(self, field: Any, value: Any, path: Path, origin: _Origin | None) -> Entry:
        old = None
        if origin is not None and origin.entry.start not in self._claimed:
            old = origin.entry
            if _same(field, value, origin) and not self._touched(path):
                old.name = field.name
                self._claimed[old.start] = old
                for entry, _ in _walk(old):
                    self._claimed[entry.start] = entry
                old.before = old.before + self._notes.get(path, [])
                return old
        made = Entry(field.name)
        if field.message_type is None:
            made.parts = (spell(field, value),)
            self._claim(old, made)
        else:
            spread = old is not None and old.children is None and field.name != "param"
            if not spread:
                self._claim(old, made)
            made.children = self._fields(value, path)
            if spread and old is not None:
                self._claim_spread(old, made)
        made.before = made.before + self._notes.get(path, [])
        return made

    def _claim(self, old: Entry | None, made: Entry) -> None:
        """Take over an old entry's comments."""
        if old is not None:
            self._claimed[old.start] = made
            made.before, made.after = list(old.before), old.after
            made.opening, made.end = old.opening, list(old.end)

    def _claim_spread(self, old: Entry, made: Entry) -> None:
        """Take over the comments of a value that has become a message, `input_dim` a shape.

        What stood behind it stays behind the field that has its value now.
        """
        inner = self._claimed.get(old.start)
        if inner is None:
            self._claim(old, made)
        else:
            made.before, inner.before = inner.before, []

    def _touched(self, path: Path) -> bool:
        """Whether a note goes inside the field."""
        return any(len(p) > len(path) and p[: len(path)] == path for p in self._notes)

    def _origin(self, path: Path) -> _Origin | None:
        entry = self._entry(self._places, path)
        return None if entry is None else self._origins.get(entry.start)

    def _entry(self, places: Places, path: Path) -> Entry | None:
        value, field = places.value(path), places.field(path)
        if value is None or field is None:
            return None
        # an element of a list stands by itself, and has the list's name
        return self._entries.get(value.start) or self._entries.get(field.start)


def _walk(root: Entry) -> Iterator[tuple[Entry, Entry | None]]:
    """All entries below one, each with the one around it; None for the outermost."""
    stack: list[tuple[Entry, Entry | None]] = [(entry, None) for entry in reversed(_inside(root))]
    while stack:
        entry, around = stack.pop()
        yield entry, around
        stack += [(inner, entry) for inner in reversed(_inside(entry))]


def _inside(entry: Entry) -> list[Entry]:
    return entry.children or entry.elements or []


def _look(message: Any, path: Path) -> tuple[Any, Any]:
    """Descriptor and value of a field."""
    value: Any = message
    field: Any = None
    for step in path:
        if isinstance(step, int):
            value = value[step]
        else:
            field = value.DESCRIPTOR.fields_by_name[step]
            value = getattr(value, step)
    return field, value


def _same(field: Any, value: Any, origin: _Origin) -> bool:
    """Whether the text says there what is to be written."""
    old = origin.field
    if field.message_type is not None or old.message_type is not None:
        return (
            field.message_type is old.message_type
            and origin.entry.children is not None
            and value.SerializePartialToString(deterministic=True)
            == origin.value.SerializePartialToString(deterministic=True)
        )
    alike = field.type == old.type and field.enum_type is old.enum_type
    return alike and origin.entry.elements is None and repr(value) == repr(origin.value)
