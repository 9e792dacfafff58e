"""Which layers each state of a net has, and what is different between two, as text."""

from __future__ import annotations

from collections.abc import Sequence

from netdef.graph import State
from netdef.graph.states import StateLayers, layers_of, list_states, rules
from netdef.layers.base import Phase
from netdef.schema import NetParameter
from netdef.view import palette, table
from netdef.view.cells import Line, wrap
from netdef.view.words import plural

_YES, _NO = "●", "·"


def states(
    net: NetParameter,
    lines: Sequence[int | None],
    between: tuple[State, State] | None = None,
    *,
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """A table of the layers that not all states have, and the difference between two states.

    Args:
        net: in the current syntax.
        lines: where each layer stands in its file, as far as it is known.
        between: two states to compare; None for TRAIN and TEST, or the first two
            that differ.
        width: columns to fit into; None for 80.
        color: with ANSI colours.
        unicode: False for plain ASCII.
    """
    groups = list_states(net)
    room = width or 80
    out: list[Line] = [[(f" {net.name or 'net'}: {plural(len(net.layer), 'layer')}", "title")]]
    out += _groups(groups, room)
    everywhere = set(range(len(net.layer))).intersection(*(group.layers for group in groups))
    some = [index for index in range(len(net.layer)) if index not in everywhere]
    if some and between is None:
        out += [[("", "")], *_table(net, lines, groups, some, room)]
    pair = between
    if pair is None and len(groups) > 1:
        pair = _phases(net) or (groups[0].states[0], groups[1].states[0])
    if pair is not None:
        out += [[("", "")], *_difference(net, lines, *pair)]
    return palette.join(out, color=color, unicode=unicode)


def _phases(net: NetParameter) -> tuple[State, State] | None:
    """The two phases, where they have different layers."""
    train, test = State(Phase.TRAIN), State(Phase.TEST)
    return (train, test) if layers_of(net, train) != layers_of(net, test) else None


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else f"A{index}"


def _groups(groups: Sequence[StateLayers], room: int) -> list[Line]:
    if len(groups) == 1:
        return [[(" every state has all of them", "")]]
    out: list[Line] = []
    for index, group in enumerate(groups):
        text = f"{plural(len(group.layers), 'layer')} in {'; '.join(map(str, group.states))}"
        first, *more = wrap(text, room - 4)
        out.append([(f" {_letter(index)}  ", "head"), (first, "")])
        out += [[("    " + part, "")] for part in more]
    return out


def _table(
    net: NetParameter,
    lines: Sequence[int | None],
    groups: Sequence[StateLayers],
    some: Sequence[int],
    room: int,
) -> list[Line]:
    columns = {
        "line": table.Column("line", right=True),
        "name": table.Column("layer", least=12),
        "type": table.Column("type", least=8),
        **{f"state {i}": table.Column(_letter(i)) for i in range(len(groups))},
        "rules": table.Column("rules", least=16),
    }
    rows = []
    for index in some:
        layer = net.layer[index]
        row = {"name": layer.name, "type": layer.type, "rules": rules(layer)}
        row["line"] = "" if lines[index] is None else str(lines[index])
        for number, group in enumerate(groups):
            row[f"state {number}"] = _YES if index in group.layers else _NO
        rows.append(row)
    rest = len(net.layer) - len(some)
    every: Line = [(f" and {plural(rest, 'layer')} that every state has", "head")]
    return [*table.lines(columns, rows, room, ("line", "type", "rules")), *([every] * bool(rest))]


def _difference(
    net: NetParameter, lines: Sequence[int | None], one: State, other: State
) -> list[Line]:
    old, new = layers_of(net, one), layers_of(net, other)
    out: list[Line] = [[(f" from {one} ({len(old)}) to {other} ({len(new)})", "title")]]
    for index, layer in enumerate(net.layer):
        if (index in old) == (index in new):
            continue
        sign = "-" if index in old else "+"
        where = "" if lines[index] is None else f", line {lines[index]}"
        text = f" {sign} {layer.name} ({layer.type or 'no type'}{where})"
        out.append([(text, palette.CHANGES[sign])])
    if len(out) == 1:
        out.append([(" no difference", "")])
    return out
