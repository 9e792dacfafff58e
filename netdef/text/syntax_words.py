"""What is said about mistakes in syntax: one function a mistake, place in, problem out."""

from __future__ import annotations

import re
import unicodedata

from netdef.diag import Fix, Label, Problem, Source, Span
from netdef.text import problems
from netdef.text.lexer import Token

# Fields that take strings in any schema that layers were ever written in.
_STRINGS = ("name", "type", "bottom", "top", "source", "net", "train_net", "test_net", "lr_policy")

_ESCAPE_WANTS = {
    "x": " without hexadecimal digits",
    "X": " without hexadecimal digits",
    "u": " without the four digits of a character",
    "U": " without the eight digits of a character",
}


def byte_order_mark(source: Source) -> Problem:
    """The text begins with one."""
    return problems.ByteOrderMark(
        "the text begins with a byte-order mark",
        Span(source, 0, 1),
        label="skipped; Caffe does not read it",
        help="save the file as UTF-8 without BOM",
        fixes=(Fix(Span(source, 0, 1), ""),),
    )


def binary(source: Source) -> Problem:
    """The text is none."""
    return problems.BinaryFile(
        "the file is binary, not text",
        Span(source, 0, 0),
        help="weights are given beside the net, which is a text file itself",
    )


def unquoted(place: Span, name: str) -> Problem:
    """A path, an address, a name with a `-` where quotes are needed."""
    quoted = place.text.replace("\\", "/")
    return problems.BadCharacter(
        f"`{place.text}` is neither a number nor a word",
        place,
        label="needs quotes, if a string is meant",
        help=f'write `{name}: "{quoted}"`',
        fixes=(Fix(place, f'"{quoted}"'),) if "/" in quoted or name in _STRINGS else (),
    )


def placeholder(place: Span) -> Problem:
    """A template's variable."""
    return problems.BadCharacter(
        f"`{place.text}` is a placeholder that was not filled in",
        place,
        label="stands for a value",
        help="write the value, or run the script that fills the template in",
    )


def strange(place: Span) -> Problem:
    """A character that begins nothing."""
    char = place.text
    shown = f"`{char}`" if char.isprintable() else f"U+{ord(char):04X}"
    return problems.BadCharacter(
        f"{shown} means nothing here", place, label="not part of any name or value"
    )


def invisible(place: Span) -> Problem:
    """A control character, or white space of another kind; said once for all of its kind."""
    char = place.text
    name = unicodedata.name(char, "control character").lower()
    more = place.source.text.count(char) - 1
    return problems.BadCharacter(
        f"U+{ord(char):04X}, {name}, means nothing here",
        place,
        label="not white space to the text format",
        notes=(f"the file has {more} more of them",) if more else (),
        help="write a space, or remove it",
        fixes=_visible(place.source, char),
    )


def _visible(source: Source, char: str) -> tuple[Fix, ...]:
    """Blanks in place of a character wherever it stands outside strings and comments."""
    category = unicodedata.category(char)
    if category == "Cc":  # who knows what a control character was meant to be
        return ()
    blank = "" if category == "Cf" else " "
    found = re.finditer(
        rf"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*|(?P<char>{re.escape(char)})",
        source.text,
    )
    return tuple(Fix(Span(source, *m.span()), blank) for m in found if m["char"])


def typographic(place: Span, marks: str) -> Problem:
    """Quotes from a word processor."""
    inside = place.text.strip(marks)
    closed = len(place.text) > 1 and place.text[-1] in marks
    return problems.BadCharacter(
        f"`{place.text[0]}` is no quote for a string",
        place,
        label="not a string",
        help=f'write `"{inside}"`',
        fixes=(Fix(place, f'"{inside}"'),) if closed and not set('"\\') & set(inside) else (),
    )


def conflict(place: Span) -> Problem:
    """Git's marks."""
    return problems.BadCharacter(
        "a merge conflict was left in the file",
        place,
        label="written by git",
        help="keep one of the two sides, and remove the marks",
    )


def slashes(place: Span, mended: Fix | None) -> Problem:
    """A comment of another language."""
    return problems.SlashComment(
        f"`{place.text}` begins no comment",
        place,
        label="not a comment",
        help="write `#`",
        fixes=(mended,) if mended else (),
    )


def plus(place: Span) -> Problem:
    """A sign that numbers do not have."""
    return problems.BadNumber(
        "a number is written without `+`",
        place,
        label="not taken",
        help="remove the `+`",
        fixes=(Fix(place, ""),),
    )


def equals(place: Span, name: str, value: str) -> Problem:
    """`=` for `:`."""
    start = len(place.source.text[: place.start].rstrip())
    return problems.UnexpectedToken(
        f"expected `:` after `{name}`, got `=`",
        place,
        label="expected `:`",
        help=f"write `{name}: {value}`",
        fixes=(Fix(Span(place.source, start, place.end), ":"),),
    )


def valueless(place: Span, name: str) -> Problem:
    """A field whose value is missing, before the next field."""
    return problems.UnexpectedToken(
        f"expected a value after `{name}:`, got `{place.text}:`",
        place,
        label="the name of the next field",
        help=f"give `{name}` a value, or remove it",
    )


def runs_on(place: Span, taken: str, kept: str) -> Problem:
    """A string that took in the next field's name, as its closing quote is missing."""
    return problems.BadString(
        f"the string takes in `{taken}:`",
        place,
        label=f"no closing `{place.text[0]}` before `{taken}`",
        help=f"write `{kept}{place.text[0]}`",
    )


def prefixed(place: Span, name: str, string: str) -> Problem:
    """A prefix before a string, as Python has them."""
    return problems.BadString(
        f"`{place.text}` before a string means nothing",
        place,
        label="not part of a string",
        help=f"write `{name}: {string}`",
        fixes=(Fix(place, ""),),
    )


def unopened(place: Span, name: str, word: str) -> Problem:
    """A string with a closing quote only."""
    return problems.BadString(
        f"the string of `{name}` has no opening quote",
        place,
        label="needs a quote in front",
        help=f'write `{name}: "{word}"`',
        fixes=(Fix(place, f'"{word}"'),),
    )


def unended(place: Span) -> Problem:
    """A string that lacks its closing quote."""
    quote = place.text[:1]
    return problems.BadString(
        "the string does not end on its line",
        place,
        label=f"no closing `{quote}`",
        help=f"write `{quote}` at its end",
        fixes=(Fix(Span(place.source, place.end, place.end), quote),)
        if re.fullmatch(r"[\w./-]+", place.text[1:])
        else (),
    )


def broken(place: Span) -> Problem:
    """A string over several lines."""
    return problems.BadString(
        "the string runs over the end of its line",
        place,
        label=f"no closing `{place.text[:1]}`",
        help="close it on each line; strings that follow each other are one",
    )


def escape(place: Span, letter: str) -> Problem:
    """A backslash before what it does not go with."""
    return problems.BadEscape(
        f"`\\{letter}`{_ESCAPE_WANTS.get(letter, '')} is no escape",
        place,
        label="not known",
        help="write `\\\\` for a backslash, or `/` in a path",
    )


def number(place: Span) -> Problem:
    """Digits and letters that are no number."""
    why, instead = _number_fault(place.text)
    return problems.BadNumber(
        f"`{place.text}` is not a number",
        place,
        label=why,
        help=f"write `{instead}`" if instead else "",
        fixes=(Fix(place, instead),) if instead else (),
    )


def unexpected(
    place: Span,
    wanted: str,
    got: str,
    after: str,
    help: str,
    *,
    end: bool,
    fixes: tuple[Fix, ...] = (),
) -> Problem:
    """A token that fits nowhere.

    Args:
        place: the token; at the end of the text, the token before.
        wanted: what could stand there.
        got: the token in words.
        after: what stands before it; empty where that says nothing.
        help: what to write.
        end: whether the text is at its end.
        fixes: changes that mend it.
    """
    before = f" after {after}" if after else ""
    return problems.UnexpectedToken(
        f"expected {wanted}{before}, got {got}",
        place,
        label=f"expected {wanted}{' after this' if end else ''}",
        help=help,
        fixes=fixes,
    )


def unclosed(place: Span, what: str, closer: str, labels: list[Label]) -> Problem:
    """A block that is never closed."""
    return problems.UnclosedBlock(
        f"{what} is never closed",
        place,
        label=f"opened here, with no `{closer}` of its own",
        labels=tuple(labels),
        help=f"write `{closer}` after its last field",
    )


def list_unclosed(place: Span, name: str) -> Problem:
    """A list that is never closed."""
    return problems.UnclosedBlock(
        f"the list of `{name}` is never closed",
        place,
        label="opened here",
        help="write `]` after its last value",
    )


def closed_early(place: Span, opener: Span, name: str, field: Span) -> Problem:
    """A closer too many, before a field of the block it closed."""
    return problems.StrayCloser(
        f"`{place.text}` closes `{name}` too early",
        place,
        label="one too many",
        labels=(
            Label(opener, "opened here"),
            Label(field, f"`{field.text}` is a field of `{name}`"),
        ),
        help="remove it",
    )


def stray(place: Span) -> Problem:
    """A closer where nothing is open."""
    return problems.StrayCloser(
        f"`{place.text}` closes nothing",
        place,
        label="nothing is open here",
        help=f"remove it, or look for a block above that has one `{place.text}` too many",
    )


def mismatched(place: Span, opener: Span, char: str, closer: str) -> Problem:
    """A block closed by the wrong character."""
    return problems.MismatchedCloser(
        f"`{char}` is closed by `{place.text}`",
        place,
        label=f"expected `{closer}`",
        labels=(Label(opener, "opened here"),),
        help=f"write `{closer}`",
    )


def token(given: Token) -> str:
    """A token, in words."""
    type_ = given.type
    if type_ == "$END":
        return "the end of the text"
    if type_ == "FIELD" or type_ == "OPEN":
        return f"`{given.name}`"
    text = given.text if len(given.text) <= 24 else f"{given.text[:20]}..."
    if type_ in ("STRING", "NUMBER"):
        return f"the {type_.lower()} `{text}`"
    return f"`{text}`"


def _number_fault(text: str) -> tuple[str, str]:
    """Why digits and letters are no number, and what to write instead where that is clear."""
    if re.fullmatch(r"0+[0-9]*[89][0-9]*(\.[0-9]*)?", text):
        return "a leading 0 makes it octal, which has digits 0 to 7", text.lstrip("0")
    if re.fullmatch(r"0+[0-9]+(\.[0-9]*.*|[eE].*|[fF])", text):
        return "a leading 0 makes it octal, which has no fraction", ""
    if re.match(r"0[xX]", text):
        return "`0x` begins a hexadecimal integer", ""
    if re.fullmatch(r"[0-9.]+[eE][+-]?", text):
        return "the exponent has no digits", ""
    if re.fullmatch(r"[0-9]+(_[0-9]+)+", text):
        return "digits are not grouped", text.replace("_", "")
    if re.fullmatch(r"[0-9.]*\.[0-9.]*\.[0-9.]*", text):
        return "it has two points", ""
    return "letters may not follow a number at once", ""
