"""A part of a chart: what lies between layers, or around one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from netdef.diag.suggest import nearest
from netdef.view.chart import Chart, Item, remap

_NEAR = 2  # wires from a layer to what is shown around it


class NoSuchLayer(LookupError):
    """A name that no layer or block of the net has; the message tells the nearest one.

    Attributes:
        name: as asked for.
    """

    def __init__(self, name: str, known: Iterable[str], what: str = "layer") -> None:
        near = nearest(name, list(known), 1)
        help_text = f": did you mean `{near[0]}`?" if near else ""
        super().__init__(f"the net has no {what} `{name}`{help_text}")
        self.name = name


def cut(
    chart: Chart,
    start: Collection[str] = (),
    end: Collection[str] = (),
    around: Collection[str] = (),
) -> Chart:
    """The chart with a part of its items; what is read beyond the part is told in notes.

    Args:
        chart: whole.
        start: names of layers; what depends on none of them is left out.
        end: names of layers; what none of them depends on is left out.
        around: names of layers; what is more than two wires away is left out.

    Raises:
        NoSuchLayer: a name is no layer's.
    """
    kept = set(range(len(chart.items)))
    above = [item.sources for item in chart.items]
    if start:
        kept &= _reach(_find(chart, start), chart.readers)
    if end:
        kept &= _reach(_find(chart, end), above)
    if around:
        middle = _find(chart, around)
        kept &= _reach(middle, above, _NEAR) | _reach(middle, chart.readers, _NEAR)
    if len(kept) == len(chart.items):
        return chart
    to = {old: new for new, old in enumerate(sorted(kept))}
    items = remap((_inside(chart, old, to) for old in to), to)
    shares = (replace(s, items=tuple(to[i] for i in s.items if i in to)) for s in chart.shares)
    return replace(
        chart,
        items=items,
        shares=tuple(s for s in shares if len(s.items) > 1),
        whole=chart.whole or len(chart.items),
    )


def _find(chart: Chart, names: Collection[str]) -> set[int]:
    """Items by the names of their layers; those folded into them count too."""
    known: dict[str, set[int]] = {}
    for index, item in enumerate(chart.items):
        known.setdefault(item.name, set()).add(index)
        for node in item.nodes:
            known.setdefault(chart.net.nodes[node].name, set()).add(index)
    for name in names:
        if name not in known:
            raise NoSuchLayer(name, known)
    return {index for name in names for index in known[name]}


def _reach(begin: set[int], neighbours: Sequence[Sequence[int]], most: int = -1) -> set[int]:
    """Items that can be walked to in at most `most` steps; -1 for any number."""
    found, edge = set(begin), set(begin)
    while edge and most:
        edge = {n for index in edge for n in neighbours[index]} - found
        found |= edge
        most -= 1
    return found


def _inside(chart: Chart, index: int, kept: Collection[int]) -> Item:
    """An item without its wires to what is left out, and with notes on them."""
    item = chart.items[index]
    lost = [wire.source for wire in item.wires if wire.source not in kept and not wire.quiet]
    gone = [reader for reader in chart.readers[index] if reader not in kept]
    notes = [f"reads {_list(chart, lost)}, not shown"] if lost else []
    notes += [f"read by {_list(chart, gone)}, not shown"] if gone else []
    wires = tuple(wire for wire in item.wires if wire.source in kept)
    reads = tuple(r for r in item.reads if any(", ".join(w.blobs) == r for w in wires))
    return replace(item, wires=wires, notes=item.notes + tuple(notes), reads=reads)


def _list(chart: Chart, items: Sequence[int]) -> str:
    names = [chart.items[i].name for i in dict.fromkeys(items)]
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
