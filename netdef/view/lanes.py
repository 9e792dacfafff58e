"""Lanes for a chart, as `git log --graph` has them.

Says which lane each item stands on, and where lanes fork and merge.

A lane carries what one item makes, until its last reader. Knows numbers only: which item reads
which. What a step looks like is the business of `rails`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_FORKS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    """An item on its lane; `open` are the other lanes that pass by.

    `goes_on` tells whether its lane carries on below, `named` the items it reads without a line
    because no lane was free.
    """

    item: int
    lane: int
    open: frozenset[int]
    goes_on: bool
    named: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fork:
    """A lane splits: what it carries goes on in it and in `others`."""

    lane: int
    others: frozenset[int]
    open: frozenset[int]


@dataclass(frozen=True, slots=True)
class Merge:
    """Lanes end in `lane`: the item below reads what they carry."""

    lane: int
    others: frozenset[int]
    open: frozenset[int]


Step = Dot | Fork | Merge


def lay(sources: Sequence[Sequence[int]], most: int) -> list[Step]:
    """Lay items onto lanes, in their order.

    The path to the last item keeps to the left; branches that end early go to the right. What
    skips a branch stays on the left of it, so that skips that lie in each other do not cross.

    Args:
        sources: for each item the items it reads, all of them before it.
        most: lanes that there is room for; beyond, the longest wires get no lane.
    """
    return _Lanes(sources, most).lay()


class _Lanes:
    def __init__(self, sources: Sequence[Sequence[int]], most: int) -> None:
        self.sources = [tuple(dict.fromkeys(s)) for s in sources]
        self.most = most
        self.readers: list[list[int]] = [[] for _ in sources]
        for item, read in enumerate(self.sources):
            for source in read:
                self.readers[source].append(item)
        self.main = self._reaching_the_end()
        self.held: dict[int, tuple[int, list[int]]] = {}  # lane: (item, readers to come)
        self.lane_of: dict[tuple[int, int], int] = {}  # (source, reader): lane
        self.steps: list[Step] = []

    def _reaching_the_end(self) -> list[bool]:
        """Which items lie on a path to the item at the end of the longest path."""
        depth: list[int] = []
        for read in self.sources:
            depth.append(1 + max((depth[s] for s in read), default=0))
        main = [False] * len(depth)
        if depth:
            main[max(range(len(depth)), key=lambda i: (depth[i], i))] = True
        for item in reversed(range(len(depth))):
            if main[item]:
                for source in self.sources[item]:
                    main[source] = True
        return main

    def lay(self) -> list[Step]:
        for item in range(len(self.sources)):
            self._place(item)
        return self.steps

    def _open(self, *but: int) -> frozenset[int]:
        return frozenset(self.held.keys() - set(but))

    def _place(self, item: int) -> None:
        lanes, named = [], []
        for source in self.sources[item]:
            lane = self.lane_of.get((source, item))
            if lane is None:
                named.append(source)
            else:
                lanes.append(self._split(lane, item))
        if lanes:
            lane, *rest = sorted(lanes)
            for other in lanes:
                del self.held[other]
            if rest:
                self.steps.append(Merge(lane, frozenset(rest), self._open()))
        else:
            free = self._free(0)
            lane = min(free) if free else self.most
        readers = self.readers[item] if lane < self.most else []
        self.steps.append(Dot(item, lane, self._open(), bool(readers), tuple(named)))
        if readers:
            self._hold(lane, item, readers)

    def _hold(self, lane: int, source: int, readers: list[int]) -> None:
        self.held[lane] = (source, readers)
        for reader in readers:
            self.lane_of[source, reader] = lane

    def _free(self, lane: int) -> list[int]:
        """Lanes without content, the nearest to `lane` first."""
        free = (n for n in range(self.most) if n not in self.held)
        return sorted(free, key=lambda n: (abs(n - lane), n))

    def _split(self, lane: int, item: int) -> int:
        """Give `item` a lane that holds what it reads and nothing for others; return it."""
        source, readers = self.held[lane]
        if readers == [item]:
            return lane
        free = self._free(lane)
        rest = [r for r in readers if r != item]
        if not free:
            for reader in rest:  # they tell by name what they read
                del self.lane_of[source, reader]
            self._hold(lane, source, [item])
            return lane
        if len(rest) <= min(len(free), _MOST_FORKS):
            groups = [[r] for r in self._order(item, rest)]
        else:
            groups = [rest, [item]]
        lanes = sorted([lane, *free[: len(groups) - 1]])
        open_lanes = self._open(lane)
        for to, group in zip(lanes, groups, strict=True):
            self._hold(to, source, group)
        self.steps.append(Fork(lane, frozenset(lanes) - {lane}, open_lanes))
        return self.lane_of[source, item]

    def _order(self, item: int, rest: list[int]) -> list[int]:
        """Readers from left to right: skips, longest first; main branches; side branches."""

        def key(reader: int) -> tuple[int, int]:
            if not self.main[reader] and any(self.main[r] for r in (item, *rest)):
                return (2, reader)
            if reader != item and len(self.sources[reader]) > 1:
                return (0, -reader)
            return (1, reader)

        return sorted([item, *rest], key=key)
