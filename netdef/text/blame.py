"""Mistakes in which fields are given, and how often, as problems with their places."""

from __future__ import annotations

from collections.abc import Iterable

from netdef.diag import Label, Problem, Source, Span, nearest
from netdef.text import problems
from netdef.text.lexer import FieldToken
from netdef.text.places import Node, SpanMap
from netdef.text.rules import Rule, Rules
from netdef.text.tree import Block, Item, ListField, SpreadField, name_token

_MOST_HOLDERS = 3


def name_span(source: Source, item: Item) -> Span:
    """Where an item's name stands."""
    token = name_token(item)
    return Span(source, token.start, token.name_end)


def value_span(source: Source, item: Item) -> Span:
    """Where an item's value stands; of a block only the opener, as it may run over pages."""
    if isinstance(item, FieldToken):
        return Span(source, *item.match.span(item.match.lastindex or 0))
    if isinstance(item, Block):
        return Span(source, item.open, item.open + 1)
    if isinstance(item, SpreadField):
        return Span(source, item.value.start, item.value.end)
    return Span(source, item.open, item.end)


def carriage_return(source: Source) -> Problem:
    """Lines that end in CRLF."""
    end = source.text.index("\r\n")
    return problems.CarriageReturn(
        "the lines end in CRLF",
        Span(source, end, end),
        label="read like any line end",
    )


def missing(source: Source, block: Block | None, rules: Rules, name: str) -> Problem:
    """A message lacks a required field."""
    message = rules.descriptor.name
    if block is None:
        return problems.MissingRequired(
            f"`{message}` must have a field `{name}`", Span(source, 0, 0)
        )
    return problems.MissingRequired(
        f"`{name_token(block).name}` must have a field `{name}`",
        Span(source, block.start, block.end),
        label=f"no `{name}` in here",
    )


def list_for_singular(source: Source, item: ListField) -> Problem:
    """A list where one value goes."""
    name = item.name.name
    help_ = ""
    if len(item.elements) == 1:
        only = item.elements[0]
        text = source.text[only.start : only.end]
        if "\n" not in text:
            help_ = f"write `{name}: {text}`"
    return problems.ListForSingular(
        f"`{name}` takes one value, not a list",
        value_span(source, item),
        label="a list",
        help=help_,
    )


def colon_missing(source: Source, item: ListField) -> Problem:
    """A list of scalars without a colon."""
    name = item.name.name
    return problems.UnexpectedToken(
        f"expected `:` after `{name}`, got `[`",
        Span(source, item.open, item.open + 1),
        label="expected `:` before this",
        help=f"write `{name}: [`; only a list of blocks may do without the colon",
    )


def unknown_extension(source: Source, item: Item, why: str) -> Problem:
    """A bracketed name that means nothing here."""
    return problems.UnknownExtension(why, name_span(source, item), label="unknown here")


def duplicate(source: Source, item: Item, name: str, first: object) -> Problem:
    """A singular field given again."""
    before = _first_span(source, name, first)
    return problems.DuplicateField(
        f"`{name}` is given twice, and takes one value",
        _field_or_name(source, item),
        label="given again",
        labels=(Label(before, "first given here"),),
        help=f"remove one `{name}`",
    )


def oneof(source: Source, item: Item, rule: Rule, first: object) -> Problem:
    """A second member of a oneof."""
    oneof_ = rule.field.containing_oneof
    return problems.OneofTwice(
        f"`{rule.name}` is given beside another field of `{oneof_.name}`",
        _field_or_name(source, item),
        label="only one of them may be given",
        labels=(Label(_first_span(source, oneof_.name, first), "first given here"),),
    )


def unknown(
    source: Source,
    item: Item,
    rules: Rules,
    block: Block | None,
    around: list[Rules],
    note: str | None,
) -> Problem:
    """A field that its message does not have.

    Args:
        source: the text.
        item: the field.
        rules: of the message it stands in.
        block: that message in the text; None for the whole text.
        around: rules of the message around, where there is one.
        note: what is known about the field elsewhere.
    """
    name = name_token(item).name
    message = rules.descriptor.name
    where = message if block is None else name_token(block).name
    place = name_span(source, item)
    labels: tuple[Label, ...] = ()
    if block is not None:
        opener = name_span(source, block)
        if opener.begin.line != place.begin.line:
            labels = (Label(opener, f"in this `{where}`"),)
    return problems.UnknownField(
        f"`{where}` has no field `{name}`",
        place,
        label=f"unknown field of {message}",
        labels=labels,
        notes=(note,) if note else (),
        help="" if note else _whereabouts(name, rules, around),
    )


def _whereabouts(name: str, rules: Rules, around: list[Rules]) -> str:
    """Where a field that is unknown here would belong, or what it may have been meant to be."""
    known = rules.names()
    if name.lower() in known:
        return f"write `{name.lower()}`"
    inside = [
        field.name
        for field in rules.descriptor.fields
        if field.message_type is not None and name in field.message_type.fields_by_name
    ]
    if inside:
        shown = [f"`{n} {{ }}`" for n in inside[:_MOST_HOLDERS]]
        rest = ["another block"] if len(inside) > _MOST_HOLDERS else []
        return f"write it inside {_or([*shown, *rest])}"
    if any(name in outer.descriptor.fields_by_name for outer in around):
        outer = around[0].descriptor.name
        return f"`{name}` is a field of {outer}, the block around: is a `}}` missing before it?"
    near = nearest(name, known)
    if near:
        return f"did you mean {_or(f'`{n}`' for n in near)}?"
    return ""


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _first_span(source: Source, name: str, first: object) -> Span:
    if isinstance(first, Node):
        return Span(source, first.start, first.open + 1)
    node = Node(0, 0, len(source.text))
    node.fields[name] = first  # type: ignore[assignment]
    found = SpanMap(source, node).field((name,))
    return found or Span(source, 0, 0)


def _field_or_name(source: Source, item: Item) -> Span:
    if isinstance(item, Block):
        return Span(source, item.start, item.open + 1)
    return Span(source, item.start, item.end)
