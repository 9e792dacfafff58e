"""Boxes in ranks, one below the other: which rank, in which order, at which x.

Knows numbers only: widths, and which box leads to which. The method is Sugiyama's: ranks by the
longest path, values that skip ranks pass through them as narrow boxes, the order within a rank
by the mean position of the neighbours, x by least squares with the order kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_SWEEPS = 6


@dataclass(slots=True)
class Spot:
    """A place in a rank: a box, or a value that passes by where `box` is None.

    Attributes:
        box: index of the box.
        rank: from 0.
        left: cells to the left of its centre.
        right: cells to the right of it, with what is written beside its lines.
        x: of the centre.
    """

    box: int | None
    rank: int
    left: int = 0
    right: int = 0
    x: int = 0


@dataclass(frozen=True, slots=True)
class Strand:
    """A line from a spot to one in the next rank; `port` tells which of its values."""

    source: Spot
    port: int
    target: Spot


@dataclass(frozen=True, slots=True)
class Wiring:
    """What is to be laid out.

    Attributes:
        extents: cells left and right of the centre, for each box.
        wires: (box, its port, box) triples.
        ports: for each box how far right of its centre each of its values leaves.
        gap: cells between two boxes side by side.
    """

    extents: Sequence[tuple[int, int]]
    wires: Sequence[tuple[int, int, int]]
    ports: Sequence[Sequence[int]]
    gap: Callable[[int | None, int | None], int]


@dataclass(slots=True)
class Layout:
    """Spots by rank, from left to right, and the strands below each rank."""

    ranks: list[list[Spot]] = field(default_factory=list)
    gaps: list[list[Strand]] = field(default_factory=list)


def lay(wiring: Wiring) -> Layout:
    """Give every box and every passing value its rank, order and x."""
    layout = _ranked(wiring)
    _order(layout)
    _place(layout, wiring)
    return layout


def _ranked(wiring: Wiring) -> Layout:
    """Boxes in ranks, and long wires cut into strands; those of one value share a way."""
    rank = _rank(len(wiring.extents), wiring.wires)
    layout = Layout()
    for _ in range(1 + max(rank, default=-1)):
        layout.ranks.append([])
        layout.gaps.append([])
    spots = []
    for box, (left, right) in enumerate(wiring.extents):
        spots.append(Spot(box, rank[box], left, right))
        layout.ranks[rank[box]].append(spots[box])
    values: dict[tuple[int, int], list[int]] = {}
    for source, port, target in wiring.wires:
        values.setdefault((source, port), []).append(target)
    for (source, port), targets in values.items():
        at, leaving = spots[source], port
        last = max(rank[t] for t in targets)
        for level in range(rank[source] + 1, last + 1):
            here = [t for t in dict.fromkeys(targets) if rank[t] == level]
            layout.gaps[level - 1] += [Strand(at, leaving, spots[t]) for t in here]
            if level < last:
                through = Spot(None, level)
                layout.ranks[level].append(through)
                layout.gaps[level - 1].append(Strand(at, leaving, through))
                at, leaving = through, 0
    return layout


def _rank(count: int, wires: Sequence[tuple[int, int, int]]) -> list[int]:
    """Longest path from a source; sources themselves stand right above their first reader."""
    rank = [0] * count
    reads: set[int] = set()
    first: dict[int, int] = {}
    for source, _, target in sorted(wires, key=lambda w: w[2]):
        rank[target] = max(rank[target], rank[source] + 1)
        reads.add(target)
    for source, _, target in wires:
        first[source] = min(first.get(source, rank[target]), rank[target])
    return [
        rank[box] if box in reads else first.get(box, 1) - 1 if box in first else 0
        for box in range(count)
    ]


def _order(layout: Layout) -> None:
    """Order each rank by the mean position of its neighbours, keeping what crosses least."""
    best = [list(rank) for rank in layout.ranks]
    least = _crossings(layout)
    for sweep in range(_SWEEPS):
        if not least:
            break
        down = sweep % 2 == 0
        levels = range(1, len(layout.ranks)) if down else range(len(layout.ranks) - 2, -1, -1)
        for level in levels:
            place = _positions(layout, level - 1 if down else level + 1)
            strands = layout.gaps[level - 1 if down else level]
            pull: dict[int, list[int]] = {}
            for s in strands:
                mine, other = (s.target, s.source) if down else (s.source, s.target)
                pull.setdefault(id(mine), []).append(place[id(other)])
            here = _positions(layout, level)
            layout.ranks[level].sort(key=lambda spot: _mean(pull.get(id(spot), [here[id(spot)]])))
        now = _crossings(layout)
        if now < least:
            best, least = [list(rank) for rank in layout.ranks], now
    layout.ranks = best


def _positions(layout: Layout, level: int) -> dict[int, int]:
    return {id(spot): index for index, spot in enumerate(layout.ranks[level])}


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _crossings(layout: Layout) -> int:
    total = 0
    for level, strands in enumerate(layout.gaps[:-1]):
        above, below = _positions(layout, level), _positions(layout, level + 1)
        ends = sorted((above[id(s.source)], s.port, below[id(s.target)]) for s in strands)
        for index, (a, port, b) in enumerate(ends):
            total += sum((c, p) != (a, port) and d < b for c, p, d in ends[index + 1 :])
    return total


def _place(layout: Layout, wiring: Wiring) -> None:
    """Set x: near the neighbours' mean, by turns from above and from below."""
    for rank in layout.ranks:
        _settle(rank, [0.0] * len(rank), wiring)
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        levels = range(1, len(layout.ranks)) if down else range(len(layout.ranks) - 2, -1, -1)
        for level in levels:
            pull: dict[int, list[float]] = {}
            for s in layout.gaps[level - 1 if down else level]:
                leaving = _leaving(s, wiring)
                if down:
                    pull.setdefault(id(s.target), []).append(leaving)
                else:
                    pull.setdefault(id(s.source), []).append(s.target.x + s.source.x - leaving)
            rank = layout.ranks[level]
            _settle(rank, [_mean(pull.get(id(spot), [spot.x])) for spot in rank], wiring)
    _straighten(layout, wiring)
    edge = min((spot.x - spot.left for rank in layout.ranks for spot in rank), default=0)
    for rank in layout.ranks:
        for spot in rank:
            spot.x -= edge


def _straighten(layout: Layout, wiring: Wiring) -> None:
    """Put what stands alone in its rank on one line, and the ranks between around that line.

    Without this a net of many blocks leans, each block a little further to one side. Boxes that
    no line leads to or from count for nothing, and go to the right.
    """
    joined = {id(spot) for strands in layout.gaps for s in strands for spot in (s.source, s.target)}
    linked = [[spot for spot in rank if id(spot) in joined] for rank in layout.ranks]
    alone = [level for level, rank in enumerate(linked) if len(rank) == 1]
    if not alone:
        return
    trunk = linked[alone[0]][0].x
    for before, after in pairwise([-1, *alone, len(layout.ranks)]):
        spots = [spot for rank in linked[before + 1 : after] for spot in rank]
        ends = [s.target.x for s in layout.gaps[before]] if before >= 0 else []
        if after < len(layout.ranks) and after:
            ends += [_leaving(s, wiring) for s in layout.gaps[after - 1]]
        shift = trunk - round(_mean(ends)) if ends else 0
        for spot in spots:
            spot.x += shift
    for level in alone:
        linked[level][0].x = trunk
    for rank, kept in zip(layout.ranks, linked, strict=True):
        rank[:] = kept + [spot for spot in rank if id(spot) not in joined]
        for left, right in pairwise(rank):
            if id(right) not in joined:
                right.x = left.x + left.right + right.left + 1 + wiring.gap(left.box, right.box)


def _leaving(strand: Strand, wiring: Wiring) -> int:
    box = strand.source.box
    return strand.source.x + (0 if box is None else wiring.ports[box][strand.port])


def _settle(rank: list[Spot], wanted: Sequence[float], wiring: Wiring) -> None:
    """Least squares with order and distances kept: isotonic regression on x less distances."""
    offset, offsets = 0, []
    for index, spot in enumerate(rank):
        if index:
            before = rank[index - 1]
            offset += before.right + spot.left + 1 + wiring.gap(before.box, spot.box)
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # sum of weighted wishes, weight, spots
    for spot, wish, off in zip(rank, wanted, offsets, strict=True):
        weight = 4.0 if spot.box is None else 1.0  # what only passes by had better be straight
        block = ((wish - off) * weight, weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    index = 0
    for total, weight, count in blocks:
        for _ in range(count):
            rank[index].x = round(total / weight) + offsets[index]
            index += 1
