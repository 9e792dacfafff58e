"""Values of fields as text."""

from __future__ import annotations

import struct
from typing import Any

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def spell(field: Any, value: Any) -> str:
    """A scalar as the text format writes it.

    Args:
        field: its descriptor.
        value: as protobuf gives it; a float is one of single precision where the field is.

    Example:
        >>> from netdef.schema import ParamSpec
        >>> spell(ParamSpec.DESCRIPTOR.fields_by_name["lr_mult"], 0.10000000149011612)
        '0.1'
    """
    if field.enum_type is not None:
        member = field.enum_type.values_by_number.get(value)
        return str(value) if member is None else str(member.name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(c, c) if c >= " " else _escape(c) for c in value) + '"'
    if isinstance(value, bytes):
        return '"' + "".join(_byte(b) for b in value) + '"'
    if isinstance(value, float):
        return _float(value, single=field.type == field.TYPE_FLOAT)
    return str(value)


def _escape(char: str) -> str:
    return _ESCAPES.get(char, f"\\{ord(char):03o}")


def _byte(value: int) -> str:
    char = chr(value)
    return _ESCAPES.get(char, char) if " " <= char <= "~" else f"\\{value:03o}"


def _float(value: float, *, single: bool) -> str:
    """The shortest digits that give the same value again."""
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    text = repr(value)
    if single:
        wanted = struct.pack("<f", value)
        shorter = (f"{value:.{digits}g}" for digits in range(1, 10))
        text = next((t for t in shorter if _packed(t) == wanted), text)
    if "e" in text:
        digits, _, exponent = text.partition("e")
        if -5 <= int(exponent) < 0 or 0 <= int(exponent) < 16:
            text = _plain(text)
        else:
            text = f"{digits}e{int(exponent)}"
    return text.removesuffix(".0")


def _plain(text: str) -> str:
    from decimal import Decimal

    return f"{Decimal(text):f}"


def _packed(text: str) -> bytes | None:
    try:
        return struct.pack("<f", float(text))
    except OverflowError:  # rounded up past the largest float
        return None
