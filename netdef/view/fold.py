"""Blocks of a chart: layers whose names begin alike; and the blocks that repeat an earlier one.

A block is a run of items with a common prefix, `inception_3a/…` or `res2a_…`, in which branches
meet and of which only the last item is read from outside. The first block of a pattern is shown
in a bracket; later ones become one row, equal ones in a chain one bracket with `×N`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace

from netdef.view.chart import Bracket, Chart, Item, Share, Top, Wire, remap

_LEAST = 3
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    prefix: str
    first: int
    last: int

    @property
    def items(self) -> range:
        return range(self.first, self.last + 1)


def bracket(chart: Chart) -> Chart:
    """The chart with its blocks in brackets and nothing left out."""
    found = tuple(Bracket(b.name, b.first, b.last, b.prefix) for b in _blocks(chart))
    return replace(chart, brackets=found)


def fold(chart: Chart, expand: Collection[str] = ()) -> Chart:
    """The chart with blocks that repeat an earlier one folded.

    Args:
        chart: whole.
        expand: names of blocks to show nevertheless; `all` for every one.
    """
    if "all" in expand:
        return bracket(chart)
    groups = _groups(chart, _blocks(chart), expand)
    owner: dict[int, _Group] = {b.first: g for g in groups for b in g.blocks[:1]}
    items: list[Item] = []
    brackets: list[Bracket] = []
    to: dict[int, int] = {}
    old = 0
    while old < len(chart.items):
        group = owner.get(old)
        if group is None:
            to[old] = len(items)
            items.append(chart.items[old])
            old += 1
            continue
        first, end = group.blocks[0], group.blocks[-1].last + 1
        if group.shown:
            start = len(items)
            for index in range(old, end):
                to[index] = start + (index - old) % len(first.items)
            items += [chart.items[i] for i in first.items]
            items[-1] = replace(items[-1], tops=chart.items[end - 1].tops)
            last = len(items) - 1
            brackets.append(Bracket(group.name, start, last, first.prefix, len(group.blocks)))
        else:
            to.update(dict.fromkeys(range(old, end), len(items)))
            items.append(_composite(chart, group, range(old, end)))
        old = end
    shares = tuple(
        Share(tuple(dict.fromkeys(to[i] for i in s.items)), s.params) for s in chart.shares
    )
    return replace(
        chart,
        items=remap(items, to),
        shares=tuple(s for s in shares if len(s.items) > 1),
        brackets=tuple(brackets),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Blocks of one pattern in a chain; `shown` opens the first."""

    blocks: tuple[_Block, ...]
    shown: bool
    like: str = ""

    @property
    def name(self) -> str:
        names = [block.name for block in self.blocks]
        if len(names) == 1:
            return names[0]
        first, last = names[0], names[-1]
        cut = max(first.rfind("_"), first.rfind("/")) + 1
        last = last[cut:] if cut and last.startswith(first[:cut]) else last
        return f"{first} · {last}" if len(names) == 2 else f"{first} … {last}"


def _groups(chart: Chart, blocks: Sequence[_Block], expand: Collection[str]) -> list[_Group]:
    seen: dict[Hashable, str] = {}
    groups: list[_Group] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        pattern = _pattern(chart, block)
        shown = pattern not in seen or block.name in expand
        chain = [block]
        for other in blocks[at + 1 :]:
            if not _follows(chart, chain[-1], other) or other.name in expand:
                break
            if shown and (block.name in expand or not _equal(chart, block, other)):
                break
            if _pattern(chart, other) != pattern:
                break
            chain.append(other)
        groups.append(_Group(tuple(chain), shown, seen.get(pattern, "")))
        seen.setdefault(pattern, block.name)
        at += len(chain)
    return groups


def _follows(chart: Chart, block: _Block, other: _Block) -> bool:
    """Whether `other` stands right behind and reads nothing but the end of `block`."""
    outside = {
        s for i in other.items for s in chart.items[i].sources if not other.first <= s <= other.last
    }
    readers = chart.readers[block.last]
    inside = all(other.first <= reader <= other.last for reader in readers)
    return other.first == block.last + 1 and outside == {block.last} and inside


def _pattern(chart: Chart, block: _Block) -> Hashable:
    """Types and wiring: what blocks that do the same at other sizes have in common."""
    outside: dict[int, int] = {}
    rows = []
    for index in block.items:
        item = chart.items[index]
        wires = tuple(
            s - block.first if s >= block.first else -1 - outside.setdefault(s, len(outside))
            for s in item.sources
        )
        bad = index if item.problems else 0  # never hide a mistake
        rows.append((item.kind, item.fused, wires, len(item.tops), bad))
    return tuple(rows)


def _equal(chart: Chart, block: _Block, other: _Block) -> bool:
    def exact(item: Item) -> Hashable:
        return item.settings, tuple(t.shape for t in item.tops), item.params, item.shared

    here, there = ([exact(chart.items[i]) for i in b.items] for b in (block, other))
    return here == there


def _composite(chart: Chart, group: _Group, members: range) -> Item:
    items = [chart.items[i] for i in members]
    wires: dict[tuple[int, bool], tuple[str, ...]] = {}
    for item in items:
        for wire in item.wires:
            if wire.source not in members:
                wires.setdefault((wire.source, wire.quiet), wire.blobs)
    macs = [item.macs for item in items]
    times = f"×{len(group.blocks)}" if len(group.blocks) > 1 else ""
    tops: tuple[Top, ...] = items[-1].tops
    return Item(
        group.name,
        f"as {group.like}",
        times,
        "",
        "dim",
        tuple(n for item in items for n in item.nodes),
        tuple(Wire(source, blobs, quiet) for (source, quiet), blobs in wires.items()),
        tops,
        sum(item.params for item in items),
        sum(item.shared for item in items),
        None if None in macs else sum(m for m in macs if m is not None),
        (),
        (),
        any(item.wrong for item in items),
        folded=True,
    )


def _blocks(chart: Chart) -> list[_Block]:
    names = [item.name for item in chart.items]
    found: list[_Block] = []
    start = 0
    while start < len(names):
        block = next(
            (b for p in _prefixes(names[start]) if (b := _block(chart, names, start, p))), None
        )
        if block is not None:
            found.append(block)
        start = block.last + 1 if block else start + 1
    return found


def _prefixes(name: str) -> list[str]:
    """Beginnings of a name up to a separator, with it, the longest first."""
    return [name[: i + 1] for i in range(len(name) - 1, 0, -1) if name[i] in "/_-."]


def _block(chart: Chart, names: Sequence[str], first: int, prefix: str) -> _Block | None:
    end = first
    while (
        end < len(names)
        and end - first <= _LONGEST
        and (names[end].startswith(prefix) or names[end] == prefix[:-1])
    ):
        end += 1
    if end - first < _LEAST or end - first > _LONGEST:
        return None
    inside = range(first, end)
    joined = any(len(set(chart.items[i].sources) & set(inside)) > 1 for i in inside) or any(
        len(set(chart.items[i].sources)) > 1 for i in inside
    )
    closed = all(
        chart.readers[i] and all(r in inside for r in chart.readers[i]) for i in inside[:-1]
    )
    return _Block(prefix[:-1], prefix, first, end - 1) if joined and closed else None
