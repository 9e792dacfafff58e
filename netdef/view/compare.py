"""Two nets as one chart: what was added, removed and changed.

Layers are the same where their names are. The chart has the second net's layers in its order,
and the first net's others behind those they stand behind there; it has the wires of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from netdef.diag import Report
from netdef.graph import Net, Node
from netdef.view import words
from netdef.view.chart import Chart, Item, Share, Wire, chart

Key = tuple[str, int]
"""The name of an item, and how many of that name come before it."""


def compare(first: Net, second: Net, report: Report | None = None) -> Chart:
    """Two nets as one chart.

    Args:
        first: before.
        second: after.
        report: problems of the second net.
    """
    old, new = chart(first), chart(second, report)
    here, there = _keys(old), _keys(new)
    order = _order(here, there)
    place = {key: index for index, key in enumerate(order)}
    olds, news = dict(zip(here, old.items, strict=True)), dict(zip(there, new.items, strict=True))
    items = []
    for key in order:
        was = _moved(olds.get(key), here, place)
        now = _moved(news.get(key), there, place)
        items.append(_both(was, now, old, new, place[key], order))
    shares = tuple(_moved_share(share, there, place) for share in new.shares)
    return replace(new, items=tuple(items), shares=shares, other=first)


def _keys(side: Chart) -> list[Key]:
    seen: dict[str, int] = {}
    keys = []
    for item in side.items:
        keys.append((item.name, seen.get(item.name, 0)))
        seen[item.name] = seen.get(item.name, 0) + 1
    return keys


def _order(here: Sequence[Key], there: Sequence[Key]) -> list[Key]:
    """The second's order, with the first's others behind those they follow."""
    both = set(there)
    behind: dict[Key | None, list[Key]] = {}
    last: Key | None = None
    for key in here:
        if key in both:
            last = key
        else:
            behind.setdefault(last, []).append(key)
    order = list(behind.get(None, ()))
    for key in there:
        order += [key, *behind.get(key, ())]
    return order


def _moved(item: Item | None, keys: Sequence[Key], place: dict[Key, int]) -> Item | None:
    if item is None:
        return None
    wires = (replace(w, source=place[keys[w.source]]) for w in item.wires)
    return replace(item, wires=tuple(wires))


def _moved_share(share: Share, keys: Sequence[Key], place: dict[Key, int]) -> Share:
    return replace(share, items=tuple(place[keys[i]] for i in share.items))


def _both(
    was: Item | None, now: Item | None, old: Chart, new: Chart, index: int, order: Sequence[Key]
) -> Item:
    """The item of both charts: the second's, or the first's where it is gone."""
    if now is None:
        assert was is not None
        return _standing(_gone(was), index)
    if was is None:
        return _standing(replace(now, change="+"), index)
    found = list(_differences(was, now, old, new, order))
    gone = [w for w in was.wires if w.source not in {n.source for n in now.wires}]
    merged = replace(now, wires=now.wires + tuple(gone))
    if found:
        merged = replace(merged, change="~", notes=(*now.notes, *found))
    return _standing(merged, index)


def _gone(item: Item) -> Item:
    """An item of the first net only: it counts for nothing in the second."""
    return replace(item, change="-", nodes=(), problems=(), params=0, shared=0, macs=0)


def _standing(item: Item, index: int) -> Item:
    """An item without wires from below, which two orders in one may bring about."""
    return replace(item, wires=tuple(w for w in item.wires if w.source < index))


def _differences(
    was: Item, now: Item, old: Chart, new: Chart, order: Sequence[Key]
) -> Iterator[str]:
    """What changed from one item to the other, in a few words each."""
    before = _read(was.wires, order)
    after = _read(now.wires, order)
    for name in before:
        if name not in after:
            yield f"no longer reads {name}"
    for name in after:
        if name not in before:
            yield f"now reads {name}"
    if was.fused != now.fused:
        yield f"{was.fused or 'nothing in place'} → {now.fused or 'nothing in place'}"
    alike = len(now.nodes) if was.fused == now.fused else 1
    pairs = list(zip(was.nodes, now.nodes, strict=False))[:alike]
    for one, other in pairs:
        a, b = old.net.nodes[one], new.net.nodes[other]
        yield from _fields(a, b, "" if one == was.nodes[0] else f"{b.name}: ")
    shapes = [tuple(top.shape for top in item.tops) for item in (was, now)]
    if shapes[0] != shapes[1]:
        texts = ["  ".join(words.shape(s) for s in sizes) for sizes in shapes]
        yield f"output {texts[0]} → {texts[1]}"


def _read(wires: Sequence[Wire], order: Sequence[Key]) -> dict[str, None]:
    return dict.fromkeys(order[wire.source][0] for wire in wires)


def _fields(a: Node, b: Node, prefix: str) -> Iterator[str]:
    """Settings of a layer's message that differ; names and wiring are told otherwise."""
    found, wanted = dict(_flat(a.message)), dict(_flat(b.message))
    for path in dict.fromkeys([*found, *wanted]):
        one, other = found.get(path), wanted.get(path)
        if one != other:
            yield f"{prefix}{path} {one or 'not set'} → {other or 'not set'}"


_APART = ("name", "bottom", "top")


def _flat(message: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Fields that are set, by their path; a list of values is one field."""
    for field, value in message.ListFields():  # type: ignore[attr-defined]  # a message
        path = f"{prefix}{field.name}"
        if not prefix and field.name in _APART:
            continue
        if field.message_type is None:
            values = value if hasattr(value, "__len__") and not isinstance(value, str) else [value]
            yield path, " ".join(_scalar(field, v) for v in values)
        elif hasattr(value, "ListFields"):
            yield from _flat(value, f"{path}.")
        else:
            for number, one in enumerate(value):
                yield from _flat(one, f"{path}[{number}].")


def _scalar(field: object, value: object) -> str:
    kinds = field.enum_type  # type: ignore[attr-defined]  # a field descriptor
    if kinds is not None:
        return str(kinds.values_by_number[value].name)
    return f"{value:g}" if isinstance(value, float) else str(value)
