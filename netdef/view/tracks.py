"""Lines through the gap between two ranks of boxes.

Values that lead to one box and nowhere else run together into one arrow; any other value has an
arrow of its own at each box it leads to, so that a picture can be read in one way only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netdef.view.ranks import Spot, Strand, Wiring


@dataclass(slots=True)
class Run:
    """Lines that are joined: x of the ends above and below, and the row between them.

    `track` is None for a line straight down.
    """

    tops: list[int]
    bottoms: list[int] = field(default_factory=list)
    track: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The leftmost and the rightmost x."""
        ends = self.tops + self.bottoms
        return min(ends), max(ends)

    @property
    def straight(self) -> bool:
        """Whether it needs no track."""
        return len(self.tops) == len(self.bottoms) == 1 and self.tops == self.bottoms


@dataclass(frozen=True, slots=True)
class Gap:
    """Runs between two ranks, the tracks they need, and the arrows: x of those that reach boxes."""

    runs: list[Run]
    tracks: int
    arrows: frozenset[int]


def route(strands: Sequence[Strand], rank: Sequence[Spot], wiring: Wiring) -> Gap | None:
    """Route what lies between a rank and the next.

    May shift spots of `rank` that only pass by. None where two lines would have to share a
    column.

    Args:
        strands: the lines.
        rank: the lower rank, from left to right.
        wiring: for the ports.
    """
    runs: list[Run] = []
    entries: dict[int, list[Run]] = {}
    for group in _groups(strands):
        run = Run([_leave(s, wiring) for s in _sources(group)])
        runs.append(run)
        for target in {id(s.target): s.target for s in group}.values():
            entries.setdefault(id(target), []).append(run)
    arrows: set[int] = set()
    for index, spot in enumerate(rank):
        found = sorted(entries.get(id(spot), ()), key=lambda run: sum(run.tops) / len(run.tops))
        if not found:
            continue
        foreign = [{x for run in runs if run is not mine for x in run.tops} for mine in found]
        if spot.box is None:
            low = rank[index - 1].x + rank[index - 1].right + 2 if index else spot.x - 8
            last = index + 1 == len(rank)
            high = spot.x + 8 if last else rank[index + 1].x - rank[index + 1].left - 2
            places = _ports([spot.x], foreign, max(low, 0), high)
            if places is None:
                return None
            spot.x = places[0]
        else:
            low, high = spot.x - spot.left + 1, spot.x + wiring.ports[spot.box][-1]
            high = max(high, spot.x + spot.left - 2)
            wanted = _wanted(spot, found)
            places = _ports(wanted, foreign, low, high)
            if places is None:
                return None
            arrows.update(places)
        for run, x in zip(found, places, strict=True):
            run.bottoms.append(x)
    return Gap(runs, _assign(runs), frozenset(arrows))


def _groups(strands: Sequence[Strand]) -> list[list[Strand]]:
    """Strands by the run they belong to."""
    by_source: dict[tuple[int, int], list[Strand]] = {}
    for strand in strands:
        by_source.setdefault((id(strand.source), strand.port), []).append(strand)
    joined: dict[int, list[Strand]] = {}
    groups: list[list[Strand]] = []
    for found in by_source.values():
        if len(found) == 1 and found[0].target.box is not None:
            joined.setdefault(id(found[0].target), []).append(found[0])
        else:
            groups.append(found)
    return groups + list(joined.values())


def _sources(group: Sequence[Strand]) -> list[Strand]:
    return list({(id(s.source), s.port): s for s in group}.values())


def _leave(strand: Strand, wiring: Wiring) -> int:
    spot = strand.source
    return spot.x + (0 if spot.box is None else wiring.ports[spot.box][strand.port])


def _wanted(spot: Spot, found: Sequence[Run]) -> list[int]:
    if len(found) == 1:
        run = found[0]
        near = len(run.tops) == 1 and abs(run.tops[0] - spot.x) <= spot.left - 2
        return [run.tops[0] if near else spot.x]
    width = 2 * spot.left
    return [spot.x - spot.left + width * (n + 1) // (len(found) + 1) for n in range(len(found))]


def _ports(
    wanted: Sequence[int], foreign: Sequence[set[int]], low: int, high: int
) -> list[int] | None:
    """Columns near the wanted ones that no foreign line comes down, in order."""
    places: list[int] = []
    for wish, avoid in zip(wanted, foreign, strict=True):
        least = max(low, places[-1] + 2) if places else low
        free = [x for x in range(least, high + 1) if x not in avoid]
        if not free:
            return None
        places.append(min(free, key=lambda x: (abs(x - wish), x)))
    return places


def _assign(runs: Sequence[Run]) -> int:
    """Give each run that is not straight a track of its own stretch; return how many."""
    tracks: list[list[tuple[int, int]]] = []
    for run in sorted(runs, key=lambda r: r.span):
        if run.straight:
            continue
        low, high = run.span
        for number, taken in enumerate(tracks):
            if all(high + 1 < a or b + 1 < low for a, b in taken):
                run.track = number
                break
        else:
            run.track = len(tracks)
            tracks.append([])
        tracks[run.track].append((low, high))
    return len(tracks)
