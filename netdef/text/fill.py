"""A syntax tree into a message, keeping the place of each field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from netdef.diag import Report, Source
from netdef.text import blame, mismatch
from netdef.text.capped import Capped
from netdef.text.extend import Outside, extension_rule, open_any, open_map_entry
from netdef.text.lexer import FieldToken
from netdef.text.parse import parse_tree
from netdef.text.places import Node, Place, SpanMap
from netdef.text.rules import Rule, Rules, rules_of
from netdef.text.tree import Block, Item, ListField, Scalar, SpreadField, name_token

UnknownField = Callable[[str, str], str | None]
"""Message name and field name to what is known about the field elsewhere, as one sentence.

Also the name of an enum, `PoolingParameter.PoolMethod`, and a value that it does not have.
"""


class Message(Protocol):
    """What filling needs of a message; any generated protobuf message has it."""

    @property
    def DESCRIPTOR(self) -> Any: ...  # noqa: D102  protobuf's name


# What conversion raises for a text that a type does not take, and protobuf for a value.
_WRONG = (ValueError, LookupError, OverflowError, TypeError)


def fill(
    source: Source,
    message: Message,
    report: Report,
    unknown_field: UnknownField | None = None,
) -> SpanMap:
    """Fill a message from a text as far as it can be read; mistakes go to the report.

    Args:
        source: the text.
        message: any generated message.
        report: where mistakes go.
        unknown_field: asked about a field that the message does not have; what it returns is
            added to the problem as a note: "`norm_param` is from the SSD fork".

    Returns:
        Where each field was written.
    """
    filler = Filler(source, message, report, unknown_field)
    if "\r\n" in source.text:
        filler.report.add(blame.carriage_return(source))
    tree = parse_tree(source, filler.report, filler.expects)
    filler.damaged = tree.damaged
    filler.run(tree.items)
    filler.report.close()
    return SpanMap(source, filler.root.node)


class Frame:
    """A message being filled.

    Attributes:
        message: the message.
        node: the places of its fields.
        rules: what its fields take.
        block: where it stands in the text; None for the whole text.
        parent: the frame around it.
        done: what to do once it is filled; None mostly.
        choices: by oneof, the member that was given.
    """

    __slots__ = ("block", "choices", "done", "message", "node", "parent", "rules")

    def __init__(
        self,
        message: Any,
        node: Node,
        block: Block | None = None,
        parent: Frame | None = None,
        done: Callable[[], None] | None = None,
    ) -> None:
        self.message = message
        self.node = node
        self.rules: Rules = rules_of(message.DESCRIPTOR)
        self.block = block
        self.parent = parent
        self.done = done
        self.choices: dict[str, str] = {}


class Filler:
    """Walks a tree with a stack of its own: no depth of nesting can exhaust Python's."""

    def __init__(
        self, source: Source, message: Message, report: Report, unknown: UnknownField | None
    ) -> None:
        self.source = source
        self.report = Capped(report)
        self.unknown = unknown
        self.damaged: frozenset[int] = frozenset()
        self.root = Frame(message, Node(0, 0, len(source.text)))
        self.items: list[Item] = []

    def run(self, items: list[Item]) -> None:
        """Fill the root message from the top-level items."""
        self.items = items
        # A list's elements run as items of the same frame, which ends only once: `ends`.
        stack: list[tuple[Iterator[Item], Frame, bool]] = [(iter(items), self.root, True)]
        while stack:
            iterator, frame, ends = stack[-1]
            message, fields, rules = frame.message, frame.node.fields, frame.rules
            for item in iterator:
                if item.__class__ is FieldToken:
                    match = item.match
                    name = match[1]
                    rule = rules[name]
                    if rule is None:
                        self._unknown_field(frame, item)
                        continue
                    group = match.lastindex
                    try:
                        value = rule.convert[group](match[group])  # type: ignore[index]
                        if rule.repeated:
                            getattr(message, name).append(value)
                        else:
                            if name in fields or rule.oneof is not None:
                                if self._free(frame, rule, item):
                                    setattr(message, name, value)
                            else:
                                setattr(message, name, value)
                                fields[name] = match.start()
                            continue
                    except _WRONG:
                        self._mismatch(frame, rule, item)
                    self._keep(fields, rule, match.start())
                elif item.__class__ is Block:
                    inner = self._enter(frame, item)
                    if inner is not None:
                        stack.append((iter(item.items), inner, True))
                        break
                elif item.__class__ is SpreadField:
                    self._spread(frame, item)
                else:
                    elements = self._list(frame, item)  # type: ignore[arg-type]
                    stack.append((iter(elements), frame, False))
                    break
            else:
                stack.pop()
                if ends:
                    self._leave(frame)

    def expects(self, blocks: tuple[str, ...], name: str) -> bool:
        """Whether the message that these blocks lead to has a field of this name."""
        rules: Rules = self.root.rules
        for block in blocks:
            rule = rules[block]
            if rule is None or rule.message is None:
                return False
            rules = rules_of(rule.message)
        return rules[name] is not None

    def _enter(self, frame: Frame, block: Block) -> Frame | None:
        """The frame of a block's message; None where its fields have nowhere to go."""
        rule = self._rule(frame, block)
        if rule is None:
            return None
        if isinstance(rule, Outside):
            return self._enter_any(frame, block, rule)
        if rule.message is None:
            self._mismatch(frame, rule, block)
            return None
        if not rule.repeated and not self._free(frame, rule, block):
            return None
        node = Node(block.start, block.open, block.end)
        self._keep(frame.node.fields, rule, node)
        if rule.is_map:
            entry, done = open_map_entry(getattr(frame.message, rule.name), rule)
            return Frame(entry, node, block, frame, done)
        if rule.extension:
            holder = frame.message.Extensions[rule.field]
        else:
            holder = getattr(frame.message, rule.name)
        if rule.repeated:
            return Frame(holder.add(), node, block, frame)
        holder.SetInParent()  # an empty block is a field that is there
        return Frame(holder, node, block, frame)

    def _enter_any(self, frame: Frame, block: Block, outside: Outside) -> Frame:
        node = Node(block.start, block.open, block.end)
        if frame.node.fields:
            first = next(iter(frame.node.fields.values()))
            self.report.add(blame.duplicate(self.source, block, outside.name, first))
        frame.node.fields[outside.name] = node
        inner, done = open_any(frame.message, outside)
        return Frame(inner, node, block, frame, done)

    def _leave(self, frame: Frame) -> None:
        """What can be said of a message only once it is whole."""
        for name in frame.rules.required:
            if name not in frame.node.fields and not frame.message.HasField(name):
                self.report.add(blame.missing(self.source, frame.block, frame.rules, name))
        if frame.done is not None:
            frame.done()

    def _spread(self, frame: Frame, item: SpreadField) -> None:
        rule = self._rule(frame, item)
        if rule is None:
            return
        if isinstance(rule, Outside) or rule.message is not None:
            if isinstance(rule, Rule):
                self._mismatch(frame, rule, item)
            return
        place = (item.start, item.value.start, item.end)
        if item.value.parts[-1].type == "JUNK":  # reported by who put it there
            self._keep(frame.node.fields, rule, place)
            return
        try:
            value = rule.scalars.value(item.value)
            self._put(frame, rule, item, value, place)
        except _WRONG:
            self._mismatch(frame, rule, item)
            self._keep(frame.node.fields, rule, place)

    def _put(self, frame: Frame, rule: Rule, item: Item, value: object, place: Place) -> None:
        message = frame.message
        if rule.repeated:
            if rule.extension:
                message.Extensions[rule.field].append(value)
            else:
                getattr(message, rule.name).append(value)
        elif not self._free(frame, rule, item):
            return
        elif rule.extension:
            message.Extensions[rule.field] = value
        else:
            setattr(message, rule.name, value)
        self._keep(frame.node.fields, rule, place)

    def _list(self, frame: Frame, item: ListField) -> list[Item]:
        """A list's elements as fields of their own."""
        rule = self._rule(frame, item)
        scalars = any(isinstance(element, Scalar) for element in item.elements)
        scalars = scalars or (isinstance(rule, Rule) and rule.message is None)
        if scalars and not item.colon and item.start not in self.damaged:
            self.report.add(blame.colon_missing(self.source, item))
        if rule is None:
            return []
        if isinstance(rule, Outside) or not rule.repeated:
            if item.start not in self.damaged:
                self.report.add(blame.list_for_singular(self.source, item))
            return []
        fields: list[Item] = []
        for element in item.elements:
            if isinstance(element, Scalar):
                fields.append(SpreadField(item.name, element))
            else:
                fields.append(Block(item.name, element.opener, element.items, element.end))
        return fields

    def _rule(self, frame: Frame, item: Item) -> Rule | Outside | None:
        """What a field takes; None, with its problem reported, where there is no such field."""
        name = name_token(item).name
        if not name.startswith("["):
            rule = frame.rules[name]
            if rule is None:
                self._unknown_field(frame, item)
            return rule
        found = extension_rule(frame.message.DESCRIPTOR, name)
        if isinstance(found, str):
            if item.start not in self.damaged:
                self.report.add(blame.unknown_extension(self.source, item, found))
            return None
        return found

    def _free(self, frame: Frame, rule: Rule, item: Item) -> bool:
        """Whether a singular field is given for the first time; keeps a scalar's place."""
        fields = frame.node.fields
        first = fields.get(rule.name)
        if first is not None:
            self.report.add(blame.duplicate(self.source, item, rule.name, first))
            return False
        if rule.oneof is not None:
            other = frame.choices.setdefault(rule.oneof, rule.name)
            if other != rule.name:
                self.report.add(blame.oneof(self.source, item, rule, fields[other]))
                return False
        if item.__class__ is FieldToken:
            fields[rule.name] = item.start
        return True

    def _keep(self, fields: dict[str, Any], rule: Rule, place: Place) -> None:
        if not rule.repeated:
            fields.setdefault(rule.name, place)
        elif rule.name in fields:
            fields[rule.name].append(place)
        else:
            fields[rule.name] = [place]

    def _mismatch(self, frame: Frame, rule: Rule, item: Item) -> None:
        """Report a value that its field does not take, unless its syntax was at fault already."""
        if item.start in self.damaged:
            return
        readable = mismatch.readable(rule, item)
        if readable is not None:
            # Caffe reads such bytes with a warning; protobuf in Python holds valid text only.
            self.report.add(mismatch.bad_bytes(self.source, rule, item))
            if rule.repeated:
                getattr(frame.message, rule.name).append(readable)
            elif rule.name not in frame.node.fields:
                setattr(frame.message, rule.name, readable)
            return
        self.report.add(mismatch.mismatch(self.source, rule, item, self.unknown))

    def _unknown_field(self, frame: Frame, item: Item) -> None:
        """Report a field that the message does not have, unless its name is reserved."""
        name = name_token(item).name
        if item.start in self.damaged or name in frame.rules.reserved() or self.report.crowded():
            return
        note = self.unknown(frame.rules.descriptor.name, name) if self.unknown else None
        around = [] if frame.parent is None else [frame.parent.rules]
        beside = self.items if frame.block is None else frame.block.items
        self.report.add(
            blame.unknown(self.source, item, frame.rules, frame.block, around, note, beside)
        )
