"""What the format has beyond plain fields: extensions, Any and maps."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from netdef.text.rules import Rule, concrete

_ANY = "google.protobuf.Any"
_TYPE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_PREFIX = re.compile(r"(?:[\w\-.~!$&()*+,;=/]|%[0-9A-Fa-f]{2})+", re.ASCII)


class Outside(NamedTuple):
    """A message of any type, written out inside an Any.

    Attributes:
        name: as written, `[domain/pkg.Type]`.
        url: what the Any's `type_url` is to be.
        descriptor: of the message.
    """

    name: str
    url: str
    descriptor: Any


def extension_rule(descriptor: Any, name: str) -> Rule | Outside | str:
    """What a bracketed name in a message means.

    Args:
        descriptor: of the message that the name stands in.
        name: the name with its brackets, without white space.

    Returns:
        An extension's rule, what to put in an Any, or why it is neither.
    """
    inside = name[1:-1]
    if "/" in inside:
        return _outside(descriptor, name, inside)
    if not _TYPE.fullmatch(inside):
        return f"`{inside}` is not a name"
    try:
        field = descriptor.file.pool.FindExtensionByName(inside)
    except KeyError:
        return f"no extension is called `{inside}`"
    if field.containing_type.full_name != descriptor.full_name:
        return f"`{inside}` extends `{field.containing_type.name}`, not `{descriptor.name}`"
    return _extension(field)


def open_any(message: Any, outside: Outside) -> tuple[Any, Callable[[], None]]:
    """A message to fill, and what puts it into the Any afterwards."""
    inner = concrete(outside.descriptor)

    def done() -> None:
        message.type_url = outside.url
        message.value = inner.SerializePartialToString(deterministic=True)

    return inner, done


def open_map_entry(container: Any, rule: Rule) -> tuple[Any, Callable[[], None]]:
    """A map's entry to fill, and what puts it into the map afterwards; the last of a key wins."""
    entry = container.GetEntryClass()()
    value: Any = entry.DESCRIPTOR.fields_by_name["value"]
    of_messages = value.message_type is not None

    def done() -> None:
        if of_messages:
            container[entry.key].CopyFrom(entry.value)
        else:
            container[entry.key] = entry.value

    return entry, done


@lru_cache(maxsize=256)
def _extension(field: Any) -> Rule:
    return Rule(field)


def _outside(descriptor: Any, name: str, inside: str) -> Outside | str:
    prefix, _, type_name = inside.rpartition("/")
    if descriptor.full_name != _ANY:
        return f"`{name}` names a type, which only an Any takes"
    if not _PREFIX.fullmatch(prefix) or not _TYPE.fullmatch(type_name):
        return f"`{inside}` is not a type's address"
    try:
        found = descriptor.file.pool.FindMessageTypeByName(type_name)
        concrete(found)
    except LookupError:
        return f"no message type is called `{type_name}`"
    return Outside(name, inside, found)
