"""Runs of a chart's items whose names begin alike, and what they have in common.

A block is a run with a common prefix, `inception_3a/…` or `res2a_…`, in which branches meet and
of which only the last item is read from outside.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from netdef.view.chart import Chart, Item

_LEAST = 3
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Block:
    """Items `first` to `last`; `prefix` is what their names begin with."""

    name: str
    prefix: str
    first: int
    last: int

    @property
    def items(self) -> range:
        """Indices of its items."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class Foldable:
    """A run of items that may be folded by hand.

    Attributes:
        name: common to them.
        first: first item.
        last: last item.
        about: `as inception_3a`, where it repeats a block above it.
    """

    name: str
    first: int
    last: int
    about: str = ""

    @property
    def items(self) -> range:
        """Indices of its items."""
        return range(self.first, self.last + 1)

    @property
    def repeats(self) -> bool:
        """Whether a block above it has the same pattern."""
        return bool(self.about)


def blocks(chart: Chart) -> list[Foldable]:
    """All runs that can be folded, in order; they do not overlap."""
    seen: dict[Hashable, str] = {}
    found = []
    for run in named_runs(chart, 1):
        pattern = pattern_of(chart, run)
        like = seen.setdefault(pattern, run.name)
        sizes = sizes_of(chart, run)
        about = f"as {like} {sizes}".rstrip() if like != run.name else ""
        found.append(Foldable(run.name, run.first, run.last, about))
    return found


def named_runs(chart: Chart, depth: int) -> list[Block]:
    """Items one after the other whose names begin with the same `depth` parts."""
    names = [item.name for item in chart.items]
    blocks = {b.first: b for b in closed_blocks(chart) if b.name.count("/") + 1 >= depth}
    found: list[Block] = []
    start = 0
    while start < len(names):
        prefix = "/".join(names[start].split("/")[:depth]) + "/"
        end = start
        while end < len(names) and (names[end].startswith(prefix) or names[end] + "/" == prefix):
            end += 1
        block = blocks.get(start)
        if block is not None and block.last >= end:
            found.append(block)
            end = block.last + 1
        elif end - start > 1:
            found.append(Block(prefix[:-1], prefix, start, end - 1))
        start = max(end, start + 1)
    return found


def closed_blocks(chart: Chart) -> list[Block]:
    """Blocks in which branches meet and of which only the last item is read from outside."""
    names = [item.name for item in chart.items]
    found: list[Block] = []
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


def _block(chart: Chart, names: Sequence[str], first: int, prefix: str) -> Block | None:
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
    return Block(prefix[:-1], prefix, first, end - 1) if joined and closed else None


def pattern_of(chart: Chart, block: Block) -> Hashable:
    """Types and wiring: what blocks that do the same at other sizes have in common."""
    outside: dict[int, int] = {}
    rows = []
    for index in block.items:
        item = chart.items[index]
        wires = tuple(
            s - block.first if s >= block.first else -1 - outside.setdefault(s, len(outside))
            for s in item.sources
        )
        bad = index if item.problems or item.change == "~" else 0  # never hide a mistake
        rows.append((item.kind, item.fused, item.change, wires, len(item.tops), bad))
    return tuple(rows)


def equal(chart: Chart, block: Block, other: Block) -> bool:
    """Whether two blocks of one pattern have the same sizes and settings too."""

    def exact(item: Item) -> Hashable:
        return item.settings, tuple(t.shape for t in item.tops), item.params, item.shared

    here, there = ([exact(chart.items[i]) for i in b.items] for b in (block, other))
    return here == there


def follows(chart: Chart, block: Block, other: Block) -> bool:
    """Whether `other` stands right behind and reads nothing but the end of `block`."""
    outside = {
        s for i in other.items for s in chart.items[i].sources if not other.first <= s <= other.last
    }
    readers = chart.readers[block.last]
    inside = all(other.first <= reader <= other.last for reader in readers)
    return other.first == block.last + 1 and outside == {block.last} and inside


def sizes_of(chart: Chart, block: Block) -> str:
    """What tells a block from another of its pattern: `128/512, stride 2`, `64+128+32+32`."""
    last = chart.items[block.last]
    parts = [s for s in last.sources if s in block.items]
    if last.kind == "Concat":
        found = [_channels(chart.items[s]) for s in parts]
        text = "" if None in found else "+".join(map(str, found))
    else:
        wide = {_channels(chart.items[i]) for i in block.items if chart.items[i].params} - {None}
        text = "/".join(str(c) for c in sorted(c for c in wide if c))
    outside = [s for i in block.items for s in chart.items[i].sources if s < block.first]
    before, after = (
        _height(chart.items[i]) for i in (outside[0] if outside else block.last, block.last)
    )
    stride = f"stride {before // after}" if before and after and before >= 2 * after else ""
    return ", ".join(t for t in (text if len(text) < 20 else "", stride) if t)


def _channels(item: Item) -> int | None:
    shape = item.tops[0].shape if item.tops else None
    return shape[1] if shape is not None and len(shape) > 1 else None


def _height(item: Item) -> int:
    shape = item.tops[0].shape if item.tops else None
    return shape[2] if shape is not None and len(shape) > 2 else 0
