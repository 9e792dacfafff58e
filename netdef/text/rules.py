"""What a message's descriptor says about each field, put ready for filling."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from netdef.text.scalars import GROUP, MESSAGE, Scalars, scalars_of


class Rule:
    """How one field is filled.

    Attributes:
        name: the field's own name, and the key of its place; `[pkg.ext]` for an extension.
        repeated: whether it takes many values.
        scalars: what it takes; nothing for a message.
        convert: `scalars.convert`, at hand for the fast path.
        message: descriptor of the message it holds; None for a scalar.
        is_map: whether it is a map, written as messages with `key` and `value`.
        oneof: name of the oneof it belongs to; None where it belongs to none.
        extension: whether it is an extension.
        field: its descriptor.
    """

    __slots__ = (
        "convert",
        "extension",
        "field",
        "is_map",
        "message",
        "name",
        "oneof",
        "repeated",
        "scalars",
    )

    def __init__(self, field: Any) -> None:
        self.field = field
        self.extension = bool(field.is_extension)
        self.name: str = f"[{field.full_name}]" if self.extension else field.name
        self.repeated = is_repeated(field)
        self.scalars: Scalars = scalars_of(field)
        self.convert = self.scalars.convert
        self.message = field.message_type if field.type in (MESSAGE, GROUP) else None
        self.is_map = (
            self.repeated and self.message is not None and self.message.GetOptions().map_entry
        )
        oneof = field.containing_oneof
        # proto3's `optional` is a oneof of one, which no text can break.
        self.oneof = oneof.name if oneof is not None and len(oneof.fields) > 1 else None


class Rules(dict[str, "Rule | None"]):
    """The rules of one message by field name, made when a name is first asked for.

    A name the message does not have gives None.
    """

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.descriptor = descriptor
        self._reserved: frozenset[str] | None = None
        self.required: tuple[str, ...] = tuple(f.name for f in descriptor.fields if is_required(f))

    def __missing__(self, name: str) -> Rule | None:
        field = self.descriptor.fields_by_name.get(name)
        if field is None:  # a group goes by its type's name as well
            groups = (f for f in self.descriptor.fields if f.type == GROUP)
            field = next((f for f in groups if f.message_type.name == name), None)
        rule = self[name] = None if field is None else Rule(field)
        return rule

    def names(self) -> list[str]:
        """The names of all fields, as declared."""
        return [field.name for field in self.descriptor.fields]

    def reserved(self) -> frozenset[str]:
        """Names that the message sets aside: old fields, which are skipped."""
        if self._reserved is not None:
            return self._reserved
        names = []
        outer = self.descriptor
        while outer is not None:
            names.append(outer.name)
            outer = outer.containing_type
        pool = type(self.descriptor.GetOptions()).DESCRIPTOR.file.pool
        found = concrete(pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto"))
        found.ParseFromString(self.descriptor.file.serialized_pb)
        inside = found.message_type
        for name in reversed(names):
            found = next(message for message in inside if message.name == name)
            inside = found.nested_type
        self._reserved = frozenset(found.reserved_name)
        return self._reserved


@lru_cache(maxsize=1024)
def rules_of(descriptor: Any) -> Rules:
    """The rules of a message, kept for as long as many other messages are not read."""
    return Rules(descriptor)


def is_repeated(field: Any) -> bool:
    """Whether a field takes many values, in any protobuf release.

    `label` warns since protobuf 6, `is_repeated` is new in it.
    """
    known = getattr(field, "is_repeated", None)
    return bool(field.label == 3 if known is None else known)


def is_required(field: Any) -> bool:
    """Whether a field must be given, in any protobuf release."""
    known = getattr(field, "is_required", None)
    return bool(field.label == 2 if known is None else known)


def concrete(descriptor: Any) -> Any:
    """An empty message of a descriptor's type.

    Raises:
        LookupError: where the program has no class for it.
    """
    made = getattr(descriptor, "_concrete_class", None)
    if made is None:
        raise LookupError(descriptor.full_name)
    return made()
