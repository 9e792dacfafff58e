"""Values that their fields do not take: what is wrong with each, and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from netdef.diag import Fix, Problem, Severity, Source, Span, nearest, surely
from netdef.text import problems, scalars
from netdef.text.blame import name_span, value_span
from netdef.text.lexer import STRING, FieldToken
from netdef.text.rules import Rule
from netdef.text.tree import Block, Item, SpreadField

_MOST_NAMES = 12
_TRUE = ("true", "yes", "on", "y", "t", "1", "enabled")
_SURE = ("true", "yes", "on", "false", "no", "off")
_FALSE = ("false", "no", "off", "n", "f", "0", "disabled", "none")


def mismatch(
    source: Source,
    rule: Rule,
    item: Item,
    unknown: Callable[[str, str], str | None] | None = None,
) -> Problem:
    """The problem of a value that its field does not take.

    Args:
        source: the text.
        rule: what the field takes.
        item: the field.
        unknown: asked about an enum value that is not there, by the enum's name and the value.
    """
    place = value_span(source, item)
    if rule.message is not None:
        return problems.WrongType(
            f"`{rule.name}` takes a block, not {_kind(place.text)}",
            place,
            label="no block",
            help=f"write `{rule.name} {{ ... }}` with fields of {rule.message.name} inside",
        )
    if isinstance(item, Block):
        return problems.WrongType(
            f"`{rule.name}` takes {takes(rule)}, not a block",
            Span(source, name_span(source, item).start, place.end),
            label="opens a block",
            help=f"write `{rule.name}: {_example(rule)}`",
        )
    given = Given(rule, place)
    if rule.field.type == scalars.ENUM:
        return given.enum(unknown)
    if rule.field.type == scalars.BOOL:
        return given.bool()
    if scalars.integer_range(rule.field) is not None:
        return given.integer()
    if rule.field.type in (scalars.FLOAT, scalars.DOUBLE):
        return given.number()
    return given.string()


def takes(rule: Rule) -> str:
    """What a scalar field takes, in words."""
    if rule.field.type == scalars.ENUM:
        names = list(scalars.enum_numbers(rule.field.enum_type))
        return f"one of {_listed(names)}" if len(names) <= 4 else "the name of an enum value"
    if rule.field.type == scalars.BOOL:
        return "`true` or `false`"
    if scalars.integer_range(rule.field) is not None:
        return "an integer"
    if rule.field.type in (scalars.FLOAT, scalars.DOUBLE):
        return "a number"
    return "a string"


class Given:
    """A scalar that its field does not take.

    Attributes:
        rule: the field's rule.
        place: the value.
        text: the value as written.
        inside: what its quotes hold; the text itself where it has none.
    """

    def __init__(self, rule: Rule, place: Span) -> None:
        self.rule = rule
        self.place = place
        self.text = place.text
        self.quoted = self.text[:1] in "'\""
        self.inside = self.text[1:-1] if self.quoted else self.text

    def string(self) -> Problem:
        """For a string field: nearly always its quotes are missing."""
        return problems.WrongType(
            f"`{self.rule.name}` takes a string, not {_kind(self.text)}",
            self.place,
            label="needs quotes",
            help=self._write(f'"{self.inside}"'),
            fixes=self._fix(f'"{self.inside}"') if _is_word(self.text) else (),
        )

    def integer(self) -> Problem:
        """For an integer field."""
        low, high = scalars.integer_range(self.rule.field) or (0, 0)
        digits = re.sub(r"\s|#[^\n]*", "", self.text)
        if re.fullmatch(r"-?(0[xX][0-9A-Fa-f]+|[0-9]+)", digits):
            return self._out_of_range(low, high, digits)
        whole = ""
        if re.fullmatch(r"-?[0-9]+", self.inside):
            whole = self.inside
        elif re.fullmatch(r"-?[0-9.]{1,20}([eE]\+?[0-9]{1,2})?[fF]?", self.inside):
            whole = self._whole()
        return self._wrong("an integer", whole)

    def number(self) -> Problem:
        """For a float or double field."""
        digits = re.sub(r"\s", "", self.text)
        if re.fullmatch(r"-?0([0-7]+|[xX][0-9A-Fa-f]+)", digits):
            base = 16 if "x" in digits.lower() else 8
            return self._wrong("a decimal number", str(int(digits, base)), "hexadecimal or octal")
        plain = re.fullmatch(r"-?[0-9.]+([eE][+-]?[0-9]+)?[fF]?", self.inside)
        return self._wrong("a number", self.inside if plain else "")

    def bool(self) -> Problem:
        """For a bool field."""
        word = self.inside.lower()
        meant = "true" if word in _TRUE else "false" if word in _FALSE else ""
        return problems.BadBool(
            f"`{self.rule.name}` takes `true` or `false`, not `{self.text}`",
            self.place,
            label="case counts" if meant == word and not self.quoted else "neither of them",
            help=self._write(meant) if meant else "",
            fixes=self._fix(meant) if meant and word in _SURE else (),
        )

    def enum(self, unknown: Callable[[str, str], str | None] | None) -> Problem:
        """For an enum field."""
        kind = self.rule.field.enum_type
        note = unknown(kind.full_name.partition(".")[2], self.inside) if unknown else None
        names = list(scalars.enum_numbers(self.rule.field.enum_type))
        if self.quoted and self.inside in names:
            return self._wrong("a name without quotes", self.inside)
        near = nearest(self.inside, names, most=1)
        known = f"known are {_listed(names)}"
        sure = None if note else surely(self.inside, names)
        if note:
            near = []
        return problems.UnknownEnumValue(
            f"`{self.rule.name}` has no value `{self.text}`",
            self.place,
            label=f"no value of {self.rule.field.enum_type.name}",
            notes=(note, known) if note else (known,),
            help=self._write(sure or near[0]) if sure or near else "",
            fixes=self._fix(sure) if sure else (),
        )

    def _out_of_range(self, low: int, high: int, digits: str) -> Problem:
        what = "must not be negative" if low == 0 and digits[0] == "-" else "is out of range"
        shown = digits if len(digits) <= 24 else f"{digits[:20]}..."
        return problems.OutOfRange(
            f"`{self.rule.name}` {what}: {shown}",
            self.place,
            label=f"must be from {low} to {high}",
        )

    def _whole(self) -> str:
        try:
            value = float(self.inside.rstrip("fF"))
        except ValueError:
            return ""
        return str(int(value)) if value.is_integer() else ""

    def _wrong(self, wanted: str, instead: str, got: str = "") -> Problem:
        return problems.WrongType(
            f"`{self.rule.name}` takes {wanted}, not {got or _kind(self.text)}",
            self.place,
            label=f"needs {wanted}",
            help=self._write(instead) if instead else "",
            fixes=self._fix(instead) if instead else (),
        )

    def _fix(self, instead: str) -> tuple[Fix, ...]:
        return (Fix(self.place, instead),)

    def _write(self, value: str) -> str:
        return f"write `{self.rule.name}: {value}`"


def _is_word(text: str) -> bool:
    """Whether a text lacks nothing but its quotes; `IMAGE_MEAN` stands for something else."""
    constant = "_" in text and text.isupper()
    return re.fullmatch(r"[\w.+-]+", text) is not None and not constant


def readable(rule: Rule, item: Item) -> str | None:
    """A text that is not UTF-8, with U+FFFD for what cannot be read; None for anything else."""
    if rule.field.type != scalars.TEXT:
        return None
    data = _string_bytes(item)
    return None if data is None else data.decode("utf-8", "replace")


def bad_bytes(source: Source, rule: Rule, item: Item) -> Problem:
    """A string that is not UTF-8: a warning where the file's own bytes are at fault."""
    place = value_span(source, item)
    raw = any("\ud800" <= char <= "\udfff" for char in place.text)
    return problems.BadEncoding(
        f"the string of `{rule.name}` is not valid UTF-8",
        place,
        label="of another encoding" if raw else "these escapes make no character",
        help="save the file as UTF-8" if raw else "write characters as `\\u00e9`",
        severity=Severity.WARNING if raw else Severity.ERROR,
    )


def _string_bytes(item: Item) -> bytes | None:
    if isinstance(item, FieldToken) and item.match.lastindex == STRING:
        return scalars.raw_bytes(item.match[STRING][1:-1])
    if isinstance(item, SpreadField) and item.value.parts[0].type == "STRING":
        return b"".join(scalars.unescape(part.text) for part in item.value.parts)
    return None


def _kind(text: str) -> str:
    """What a value is, in words."""
    if text[:1] in "'\"":
        return "a string"
    if text[:1] in "{<":
        return "a block"
    if re.match(r"-?\s*[0-9.]", text):
        return "the number `" + text + "`" if len(text) <= 24 else "a number"
    return f"the word `{text}`" if len(text) <= 40 else "a word"


def _listed(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names[:_MOST_NAMES]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _example(rule: Rule) -> str:
    if rule.field.type == scalars.ENUM:
        return str(next(iter(scalars.enum_numbers(rule.field.enum_type))))
    if rule.field.type == scalars.BOOL:
        return "true"
    return '"..."' if rule.field.type in (scalars.TEXT, scalars.BYTES) else "1"
