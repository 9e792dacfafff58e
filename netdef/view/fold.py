"""Folding: blocks that repeat an earlier one, or all below a depth of names, as one row.

The first block of a pattern is shown in a bracket; later ones become one row, equal ones in a
chain one bracket with `×N`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace

from netdef.view import words
from netdef.view.blocks import (
    Block,
    closed_blocks,
    equal,
    follows,
    named_runs,
    pattern_of,
    sizes_of,
)
from netdef.view.chart import Bracket, Chart, Item, Share, Top, Wire, remap


def bracket(chart: Chart) -> Chart:
    """The chart with its blocks in brackets and nothing left out."""
    found = tuple(Bracket(b.name, b.first, b.last, b.prefix) for b in closed_blocks(chart))
    return replace(chart, brackets=found)


def fold(chart: Chart, expand: Collection[str] = ()) -> Chart:
    """The chart with blocks that repeat an earlier one folded.

    Args:
        chart: whole.
        expand: names of blocks to show nevertheless; `all` for every one.
    """
    if "all" in expand:
        return bracket(chart)
    chart = _hang(chart, expand)
    groups = _groups(chart, closed_blocks(chart), expand)
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

    blocks: tuple[Block, ...]
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


def _groups(chart: Chart, blocks: Sequence[Block], expand: Collection[str]) -> list[_Group]:
    seen: dict[Hashable, str] = {}
    groups: list[_Group] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        pattern = pattern_of(chart, block)
        shown = pattern not in seen or block.name in expand
        chain = [block]
        for other in blocks[at + 1 :]:
            if not follows(chart, chain[-1], other) or other.name in expand:
                break
            if shown and (block.name in expand or not equal(chart, block, other)):
                break
            if pattern_of(chart, other) != pattern:
                break
            chain.append(other)
        groups.append(_Group(tuple(chain), shown, seen.get(pattern, "")))
        seen.setdefault(pattern, block.name)
        at += len(chain)
    return groups


def _composite(chart: Chart, group: _Group, members: range) -> Item:
    times = f"×{len(group.blocks)}" if len(group.blocks) > 1 else ""
    sizes = {sizes_of(chart, block) for block in group.blocks}
    about = sizes.pop() if len(sizes) == 1 else ""
    return merge(chart, members, group.name, f"as {group.like} {times}".rstrip(), about)


def merge(chart: Chart, members: Sequence[int], name: str, kind: str, settings: str = "") -> Item:
    """One item in the place of several that stand one after the other; sources as in `chart`."""
    items = [chart.items[i] for i in members]
    wires: dict[tuple[int, bool], tuple[str, ...]] = {}
    for item in items:
        for wire in item.wires:
            if wire.source not in members:
                wires.setdefault((wire.source, wire.quiet), wire.blobs)
    macs = [item.macs for item in items]
    changes = {item.change for item in items}
    return Item(
        name,
        kind,
        settings,
        "",
        "dim",
        tuple(n for item in items for n in item.nodes),
        tuple(Wire(source, blobs, quiet) for (source, quiet), blobs in wires.items()),
        _tops(chart, members),
        sum(item.params for item in items),
        sum(item.shared for item in items),
        None if None in macs else sum(m for m in macs if m is not None),
        (),
        tuple(p for item in items for p in item.problems),
        any(item.wrong for item in items),
        folded=True,
        change=changes.pop() if len(changes) == 1 else "~",
    )


def _tops(chart: Chart, members: Sequence[int]) -> tuple[Top, ...]:
    """What is read outside, or nowhere."""
    inside = set(members)
    read = {
        (wire.source, blob)
        for i in members
        for reader in chart.readers[i]
        if reader not in inside
        for wire in chart.items[reader].wires
        for blob in wire.blobs
    }
    return tuple(
        top for i in members for top in chart.items[i].tops if (i, top.name) in read or not top.read
    )


def _hang(chart: Chart, expand: Collection[str]) -> Chart:
    """Hang norms and activations that alone read their bottom onto its producer.

    As is done with those in place, whose blob has the same name before and after.
    """
    onto: dict[int, int] = {}
    for index, item in enumerate(chart.items):
        if item.style not in ("norm", "act") or item.problems or item.name in expand:
            continue
        if len(item.wires) != 1 or len(item.tops) != 1 or item.change or item.folded:
            continue
        source = item.wires[0].source
        above = chart.items[source]
        alone = chart.readers[source] == (index,) and len(above.tops) == 1
        same = item.tops[0].shape == above.tops[0].shape if alone else False
        if same and item.tops[0].shape is not None and above.style != "data" and not above.change:
            onto[index] = onto.get(source, source)
    if not onto:
        return chart
    to: dict[int, int] = {}
    items: list[Item] = []
    for index, item in enumerate(chart.items):
        if index not in onto:
            to[index] = len(items)
            items.append(item)
            continue
        at = to[index] = to[onto[index]]
        items[at] = _hung(items[at], item)
    shares = tuple(replace(s, items=tuple(to[i] for i in s.items)) for s in chart.shares)
    return replace(chart, items=remap(items, to), shares=shares, hung=chart.hung + len(onto))


def _hung(item: Item, below: Item) -> Item:
    macs = None if item.macs is None or below.macs is None else item.macs + below.macs
    return replace(
        item,
        fused=f"{item.fused}+{words.short(below.kind)}{below.fused}",
        nodes=item.nodes + below.nodes,
        tops=below.tops,
        params=item.params + below.params,
        shared=item.shared + below.shared,
        macs=macs,
        notes=item.notes + below.notes,
    )


def shallow(chart: Chart, depth: int, expand: Collection[str] = ()) -> Chart:
    """The chart with each block at `depth` parts of its name as one row.

    Args:
        chart: whole.
        depth: parts of a name that are shown: with 1, `inception_3a` for `inception_3a/1x1`.
        expand: names of blocks to show nevertheless.
    """
    if depth < 1 or "all" in expand:
        return bracket(chart)
    runs = [run for run in named_runs(chart, depth) if run.name not in expand]
    firsts = {run.first: run for run in runs}
    to: dict[int, int] = {}
    items: list[Item] = []
    old = 0
    while old < len(chart.items):
        run = firsts.get(old)
        members = run.items if run is not None else range(old, old + 1)
        to.update(dict.fromkeys(members, len(items)))
        if run is None:
            items.append(chart.items[old])
        else:
            count = sum(len(chart.items[i].nodes) for i in members)
            items.append(merge(chart, members, run.name, words.plural(count, "layer")))
        old = members[-1] + 1
    shares = (replace(s, items=tuple(dict.fromkeys(to[i] for i in s.items))) for s in chart.shares)
    kept = tuple(s for s in shares if len(s.items) > 1)
    return bracket(_named_reads(replace(chart, items=remap(items, to), shares=kept)))


def _named_reads(chart: Chart) -> Chart:
    """The chart with a note at each item that reads one of several blobs of a folded item."""
    items = list(chart.items)
    for index, item in enumerate(items):
        reads = tuple(
            ", ".join(dict.fromkeys(wire.blobs))
            for wire in item.wires
            if not wire.quiet
            and chart.items[wire.source].folded
            and len(chart.items[wire.source].tops) > 1
        )
        if reads:
            items[index] = replace(item, reads=tuple(dict.fromkeys(item.reads + reads)))
    return replace(chart, items=tuple(items))
