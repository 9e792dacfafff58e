"""Mistakes in which fields are given, and how often, as problems with their places."""

from __future__ import annotations

from collections.abc import Iterable

from netdef.diag import Fix, Label, Problem, Source, Span, nearest, surely
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
    place = value_span(source, item)
    help_ = ""
    fixes: tuple[Fix, ...] = ()
    if len(item.elements) == 1:
        only = item.elements[0]
        text = source.text[only.start : only.end]
        if "\n" not in text:
            help_ = f"write `{name}: {text}`"
            fixes = (Fix(place, text),)
    return problems.ListForSingular(
        f"`{name}` takes one value, not a list", place, label="a list", help=help_, fixes=fixes
    )


def colon_missing(source: Source, item: ListField) -> Problem:
    """A list of scalars without a colon."""
    name = item.name.name
    return problems.UnexpectedToken(
        f"expected `:` after `{name}`, got `[`",
        Span(source, item.open, item.open + 1),
        label="expected `:` before this",
        help=f"write `{name}: [`; only a list of blocks may do without the colon",
        fixes=(Fix(Span(source, item.name.name_end, item.name.name_end), ":"),),
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
        fixes=_repeated(source, item, before),
    )


def _repeated(source: Source, item: Item, before: Span) -> tuple[Fix, ...]:
    """Takes out a field that says word for word what was said before."""
    again = Span(source, item.start, item.end)
    if isinstance(item, Block) or again.text.split() != before.text.split():
        return ()
    line = source.line(again.begin.line)
    if line.strip() == again.text:  # it has the line for itself
        start = again.start - again.begin.column + 1
        return (Fix(Span(source, start, min(start + len(line) + 1, len(source.text))), ""),)
    return (Fix(again, ""),)


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
    beside: list[Item],
) -> Problem:
    """A field that its message does not have.

    Args:
        source: the text.
        item: the field.
        rules: of the message it stands in.
        block: that message in the text; None for the whole text.
        around: rules of the message around, where there is one.
        note: what is known about the field elsewhere.
        beside: all fields of the message as written.
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
    meant = None if note else _meant(name, rules, beside)
    return problems.UnknownField(
        f"`{where}` has no field `{name}`",
        place,
        label=f"unknown field of {message}",
        labels=labels,
        notes=(note,) if note else (),
        help=_SKIP if note else _whereabouts(name, rules, around),
        fixes=(Fix(place, meant),) if meant else (),
    )


_SKIP = "remove it, or look at the net without it: `--allow-unknown`"


def _meant(name: str, rules: Rules, beside: list[Item]) -> str | None:
    """The field that a name can only mean.

    None where the field may as well belong elsewhere, or is given already and takes one value.
    """
    inside = any(
        field.message_type is not None and name in field.message_type.fields_by_name
        for field in rules.descriptor.fields
    )
    meant = None if inside else surely(name, rules.names())
    rule = rules[meant] if meant else None
    given = rule and not rule.repeated and any(name_token(i).name == meant for i in beside)
    return None if given else meant


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
    sure = surely(name, known)
    if sure:
        return f"did you mean `{sure}`?"
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
