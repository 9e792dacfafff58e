"""Which texts each scalar type takes, and their values.

Source: the text format's specification, and protobuf's C++ tokenizer and parser where the two
differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from netdef.text.lexer import DECIMAL, INTEGER, STRING, TOKEN, WORD
from netdef.text.tree import Scalar

# Type numbers of descriptor.proto's FieldDescriptorProto.Type.
DOUBLE, FLOAT, BOOL, TEXT, GROUP, MESSAGE, BYTES, ENUM = 1, 2, 8, 9, 10, 11, 12, 14
_INTEGERS: Final[dict[int, tuple[int, int]]] = {
    type_: ((-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1))
    for type_, bits, signed in (
        (3, 64, True),  # int64
        (4, 64, False),  # uint64
        (5, 32, True),  # int32
        (6, 64, False),  # fixed64
        (7, 32, False),  # fixed32
        (13, 32, False),  # uint32
        (15, 32, True),  # sfixed32
        (16, 64, True),  # sfixed64
        (17, 32, True),  # sint32
        (18, 64, True),  # sint64
    )
}

_FLOAT_MAX: Final = (2.0 - 2.0**-23) * 2.0**127
# C++ rounds up to this, half a step above the largest float, down to it: SafeDoubleToFloat.
_FLOAT_MIDPOINT: Final = (2.0 - 2.0**-24) * 2.0**127

_INFINITIES: Final = {
    sign + word: float(sign + "inf") for sign in ("", "-") for word in ("inf", "infinity")
}
_SPECIAL: Final = {**_INFINITIES, "nan": float("nan"), "-nan": -float("nan")}
_BOOLS: Final = {
    **dict.fromkeys(("true", "True", "t"), True),
    **dict.fromkeys(("false", "False", "f"), False),
}

Convert = Callable[[str], Any]


class RefusedError(ValueError):
    """A text that its field's type does not take; the message about it is made elsewhere."""


class OutOfRangeError(RefusedError):
    """An integer that its field's type cannot hold."""


class Scalars:
    """What a scalar field takes.

    Attributes:
        convert: by the lexer's group number, a text to its value; raises a ValueError, a
            LookupError or an OverflowError where the type does not take it.
        whole: an octal or hexadecimal number to its value, given its sign, 1 or -1, and size.
        unquote: bytes of quoted strings to their value.
    """

    __slots__ = ("convert", "unquote", "whole")

    def __init__(self) -> None:
        self.convert: list[Convert] = [_refuse] * (TOKEN.groups + 1)
        self.whole: Callable[[int, int], Any] = _refuse
        self.unquote: Callable[[bytes], Any] = _refuse

    def value(self, scalar: Scalar) -> Any:
        """The value of a scalar that is not part of a FIELD token.

        Raises:
            ValueError, LookupError, OverflowError: where the type does not take it.
        """
        first = scalar.parts[0]
        if first.type == "STRING":
            return self.unquote(b"".join(unescape(part.text) for part in scalar.parts))
        if first.type == "NAME":
            return self.convert[WORD]("-" * scalar.negative + first.name)
        if first.type != "NUMBER":
            raise RefusedError
        digits = first.text
        if re.fullmatch("0[0-7]+|0[xX].*", digits):
            return self.whole(
                -1 if scalar.negative else 1, int(digits, 16 if digits[1] in "xX" else 8)
            )
        group = INTEGER if digits.isdigit() else DECIMAL
        return self.convert[group]("-" * scalar.negative + digits)


def scalars_of(field: Any) -> Scalars:
    """What a field takes, from its descriptor; nothing at all for a message."""
    rule = Scalars()
    type_ = field.type
    if type_ in _INTEGERS:
        low, high = _INTEGERS[type_]
        rule.convert[INTEGER] = _integer(low, high)
        rule.whole = _whole(low, high)
    elif type_ in (FLOAT, DOUBLE):
        rule.convert[INTEGER] = _single(float) if type_ == FLOAT else float
        rule.convert[DECIMAL] = _single(_double) if type_ == FLOAT else _double
        rule.convert[WORD] = lambda text: _SPECIAL[text.lower()]
    elif type_ == BOOL:
        rule.convert[WORD] = _BOOLS.__getitem__
        rule.convert[INTEGER] = {"0": False, "1": True}.__getitem__
        rule.whole = lambda sign, size: (False, True)[size] if sign > 0 else _refuse()
    elif type_ == ENUM:
        _enum(rule, field.enum_type)
    elif type_ == TEXT:
        rule.convert[STRING] = lambda text: text[1:-1]
        rule.unquote = lambda data: data.decode("utf-8")
    elif type_ == BYTES:
        rule.convert[STRING] = lambda text: raw_bytes(text[1:-1])
        rule.unquote = bytes
    return rule


def integer_range(field: Any) -> tuple[int, int] | None:
    """Smallest and largest value of an integer field; None for other fields."""
    return _INTEGERS.get(field.type)


def enum_numbers(enum: Any) -> Mapping[str, int]:
    """An enum's member names and their numbers, in the order declared."""
    return {value.name: value.number for value in enum.values}


def _refuse(*_given: object) -> Any:
    raise RefusedError


def _integer(low: int, high: int) -> Convert:
    def convert(text: str) -> int:
        value = int(text)  # a ValueError past Python's limit of digits is out of range as well
        if low <= value <= high and not (low == 0 and text[0] == "-"):
            return value
        raise OutOfRangeError

    return convert


def _whole(low: int, high: int) -> Callable[[int, int], int]:
    def convert(sign: int, size: int) -> int:
        value = sign * size
        if low <= value <= high and not (low == 0 and sign < 0):
            return value
        raise OutOfRangeError

    return convert


def _double(text: str) -> float:
    return float(text.rstrip("fF"))


def _single(double: Callable[[str], float]) -> Convert:
    def convert(text: str) -> float:
        value = double(text)
        if -_FLOAT_MAX <= value <= _FLOAT_MAX:
            return value
        if abs(value) > _FLOAT_MIDPOINT:
            return _INFINITIES["inf" if value > 0 else "-inf"]
        return _FLOAT_MAX if value > 0 else -_FLOAT_MAX

    return convert


def _enum(rule: Scalars, enum: Any) -> None:
    names = dict(enum_numbers(enum))
    numbers = frozenset(names.values())
    closed = getattr(enum, "is_closed", True)
    int32 = _integer(*_INTEGERS[5])

    def number(text: str) -> int:
        value: int = int32(text)
        if closed and value not in numbers:
            raise RefusedError
        return value

    rule.convert[WORD] = names.__getitem__
    rule.convert[INTEGER] = number
    rule.whole = lambda sign, size: number(str(sign * size))


_ESCAPED: Final = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))|(.))",
    re.DOTALL,
)
_LETTERS: Final = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def unescape(quoted: str) -> bytes:
    """The bytes of one string token, which the lexer has found to be well formed."""
    data = raw_bytes(quoted[1:-1])
    return _ESCAPED.sub(_unescape_one, data) if b"\\" in data else data


def raw_bytes(text: str) -> bytes:
    """The bytes a text was decoded from, also where they were not UTF-8 (surrogateescape)."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode("utf-8", "replace")


def _unescape_one(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, letter = match.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])  # C++ wraps \400 to 0
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if letter:
        return bytes([_LETTERS.get(letter[0], letter[0])])
    return chr(int(short or long, 16)).encode("utf-8")
