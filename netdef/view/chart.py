"""What a drawing shows of a net: items with wires between them. Layers in place are folded in.

Rails, boxes and the exports all draw a `Chart`; how a net becomes one is decided here only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from netdef.diag import Problem, Report, Severity
from netdef.graph import Net, Node
from netdef.layers.base import Shape
from netdef.view import palette, words


@dataclass(frozen=True, slots=True)
class Wire:
    """Blobs that go from one item to another.

    Attributes:
        source: index of the item that makes them.
        blobs: their names, once for each bottom.
        quiet: a label or the like, told by a note at the consumer and not by a line.
    """

    source: int
    blobs: tuple[str, ...]
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Top:
    """A blob that an item makes; `read` tells whether any other item reads it."""

    name: str
    shape: Shape | None
    read: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One row or box of a drawing: a layer with those folded into it, or a whole block.

    Attributes:
        name: of the layer, or of the block.
        kind: short word for the type.
        settings: those that matter.
        fused: `+BN+Sc+ReLU`.
        style: name of the colour.
        nodes: indices of the layers in it.
        wires: where its bottoms come from.
        tops: blobs it makes.
        params: learned values it owns.
        shared: learned values it uses and another item owns.
        macs: multiply-accumulates of a forward pass; None where unknown.
        notes: what the wires do not tell, such as a bottom nobody makes.
        problems: errors and warnings at its layers, less those that an item above shows already.
        wrong: one of its layers has an error.
        folded: it stands for a block that is not shown.
        reads: blobs it reads of an item that makes several.
        change: between two nets: `+` only in the second, `-` only in the first, `~` in both and
            not alike.
    """

    name: str
    kind: str
    settings: str
    fused: str
    style: str
    nodes: tuple[int, ...]
    wires: tuple[Wire, ...]
    tops: tuple[Top, ...]
    params: int = 0
    shared: int = 0
    macs: int | None = 0
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    wrong: bool = False
    folded: bool = False
    reads: tuple[str, ...] = ()
    change: str = ""

    @property
    def sources(self) -> tuple[int, ...]:
        """Items that a line comes from."""
        return tuple(w.source for w in self.wires if not w.quiet)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its blobs that nobody reads."""
        return tuple(top.name for top in self.tops if not top.read)


@dataclass(frozen=True, slots=True)
class Share:
    """Params that several items use: the items, owner first, and each param's name and shape."""

    items: tuple[int, ...]
    params: tuple[tuple[str, Shape], ...]

    @property
    def count(self) -> int:
        """Values that are shared."""
        return sum(prod(shape) for _, shape in self.params)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Items `first` to `last` that make up a block.

    Attributes:
        name: their common prefix, or several of them.
        first: first item.
        last: last item.
        prefix: what the rows may leave out of their names.
        times: how many equal blocks in a row it stands for.
    """

    name: str
    first: int
    last: int
    prefix: str
    times: int = 1


@dataclass(frozen=True)
class Chart:
    """All that is drawn.

    Attributes:
        net: that the items are of.
        items: from top to bottom; each reads only what stands above it.
        shares: params that several items use.
        brackets: blocks that are marked as such.
        stray: problems that stand at no layer.
        in_place: layers in place that are folded into their producers.
        hung: other layers that are folded into their producers.
        whole: items that the net has, where only a part of them is drawn; else 0.
        other: the first of two nets that are drawn as one; `net` is the second.
    """

    net: Net
    items: tuple[Item, ...]
    shares: tuple[Share, ...] = ()
    brackets: tuple[Bracket, ...] = ()
    stray: tuple[Problem, ...] = ()
    in_place: int = 0
    hung: int = 0
    whole: int = 0
    other: Net | None = None

    @property
    def edges(self) -> frozenset[tuple[int, int]]:
        """Pairs of items that a line joins."""
        return frozenset((s, i) for i, item in enumerate(self.items) for s in item.sources)

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For each item those that a line leads to, in order."""
        found: list[list[int]] = [[] for _ in self.items]
        for index, item in enumerate(self.items):
            for source in dict.fromkeys(item.sources):
                found[source].append(index)
        return tuple(map(tuple, found))

    @property
    def title(self) -> str:
        """The net's name, or its file's."""
        if self.other is not None and _title(self.other) != _title(self.net):
            return f"{_title(self.other)} → {_title(self.net)}"
        return _title(self.net)

    @cached_property
    def batch(self) -> int | None:
        """The first axis, where all blobs have the same."""
        shapes = [top.shape for item in self.items for top in item.tops if top.shape]
        firsts = {shape[0] for shape in shapes}
        return firsts.pop() if len(firsts) == 1 and any(len(s) > 1 for s in shapes) else None

    @property
    def params(self) -> int:
        """Learned values of the net, each counted once; statistics that layers keep are none."""
        return learned(self.net)

    @cached_property
    def macs(self) -> int | None:
        """Of one forward pass of the net, folded or not; None where a layer's are unknown."""
        return _macs(self.net, self.net.nodes)

    @property
    def twice(self) -> str:
        """`44 used twice`, or nothing."""
        several = [
            p for p in self.net.params if len({u.node for u in p.uses}) > 1 and not p.statistic
        ]
        values = sum(prod(p.shape) for p in several)
        if not values:
            return ""
        most = max(len(p.uses) for p in several)
        return f"{values:,} used {'twice' if most == 2 else 'more than once'}"


def learned(net: Net) -> int:
    """How many values a solver may train: all params but statistics, as BatchNorm's are."""
    return sum(prod(param.shape) for param in net.params if not param.statistic)


def _title(net: Net) -> str:
    path = net.document.path
    return net.name or (str(path).rpartition("/")[2] if path else "") or "net"


def chart(net: Net, report: Report | None = None) -> Chart:
    """Decide what a drawing of the net shows.

    Args:
        net: as far as the passes came with it.
        report: problems to show at their layers.
    """
    problems, stray = _place(net, report or ())
    home = _homes(net)
    members: dict[int, list[int]] = {}
    for node, root in enumerate(home):
        members.setdefault(root, []).append(node)
    position = {root: index for index, root in enumerate(members)}
    item_of = [position[h] for h in home]
    told: set[str] = set()  # a type that netdef lacks may be in a net a hundred times
    items = []
    for nodes in members.values():
        items.append(_item(net, nodes, item_of, problems, told))
        told |= {problem.message for problem in items[-1].problems}
    shares = _shares(net, item_of)
    folded = len(net.nodes) - len(items)
    return Chart(net, tuple(items), shares, (), stray, folded)


def _homes(net: Net) -> list[int]:
    """For each node the first node of the item it belongs to."""
    home = list(range(len(net.nodes)))
    for index, node in enumerate(net.nodes):
        if len(node.bottoms) != 1 or len(node.tops) != 1:
            continue
        bottom = node.bottoms[0]
        if bottom is None:
            continue
        blob, top = net.blobs[bottom], net.blobs[node.tops[0]]
        alone = len(blob.consumers) == 1 and len(net.nodes[blob.producer].tops) == 1
        if top.name == blob.name and alone:
            home[index] = home[blob.producer]
    return home


def _item(
    net: Net,
    members: list[int],
    item_of: list[int],
    problems: dict[int, list[Problem]],
    told: set[str],
) -> Item:
    first, last = net.nodes[members[0]], net.nodes[members[-1]]
    nodes = [net.nodes[m] for m in members]
    wires, notes, reads = _wires(net, first, item_of)
    tops = tuple(
        Top(net.blobs[t].name, net.blobs[t].shape, bool(net.blobs[t].consumers)) for t in last.tops
    )
    owned = shared = 0
    for member in members:
        for param in net.nodes[member].params:
            values = prod(net.params[param].shape) * (not net.params[param].statistic)
            own = net.params[param].owner.node == member
            owned, shared = owned + values * own, shared + values * (not own)
    found = tuple(p for m in members for p in problems.get(m, ()))
    return Item(
        first.name or "?",
        words.kind(first),
        "" if first.type == "Input" else words.settings(first),
        "".join(map(words.fused, nodes[1:])),
        "unknown" if first.layer is None else palette.family(first.type),
        tuple(members),
        wires,
        tops,
        owned,
        shared,
        _macs(net, nodes),
        notes,
        tuple(p for p in found if p.message not in told),
        any(p.severity is Severity.ERROR for p in found),
        reads=reads,
    )


def _wires(
    net: Net, node: Node, item_of: list[int]
) -> tuple[tuple[Wire, ...], tuple[str, ...], tuple[str, ...]]:
    """Where the bottoms come from, notes on them, and blobs of items that make several."""
    found: dict[tuple[int, bool], list[str]] = {}
    notes: list[str] = []
    truth = words.truth_bottoms(node.type)
    for position, bottom in enumerate(node.bottoms):
        if bottom is None:
            notes.append(f"? {node.message.bottom[position]}")
            continue
        blob = net.blobs[bottom]
        quiet = position in truth and not net.nodes[blob.producer].bottoms
        found.setdefault((item_of[blob.producer], quiet), []).append(blob.name)
        if quiet:
            notes.append(f"label: {blob.name}")
    wires: list[Wire] = []
    reads: list[str] = []
    for (source, quiet), blobs in found.items():
        wires.append(Wire(source, tuple(blobs), quiet))
        producer = net.blobs[_bottom_named(net, node, blobs[0])].producer
        several = [t for t in net.nodes[producer].tops if _by_line(net, t)]
        if not quiet and len(several) > 1:
            reads.append(", ".join(blobs))
        elif not quiet and len(blobs) > 1:
            notes.append(f"{blobs[0]} ×{len(blobs)}")
    return tuple(wires), tuple(notes), tuple(reads)


def _bottom_named(net: Net, node: Node, name: str) -> int:
    return next(b for b in node.bottoms if b is not None and net.blobs[b].name == name)


def _by_line(net: Net, top: int) -> bool:
    """Whether some reader of a blob reads it as more than a label."""
    return any(
        position not in words.truth_bottoms(net.nodes[reader].type)
        for reader, position in net.blobs[top].consumers
    )


def _macs(net: Net, nodes: Iterable[Node]) -> int | None:
    total = 0
    for node in nodes:
        bottoms, tops = net.bottom_shapes(node), net.top_shapes(node)
        if node.layer is None or bottoms is None or tops is None:
            return None
        total += node.layer.macs(bottoms, tops)
    return total


def _shares(net: Net, item_of: list[int]) -> tuple[Share, ...]:
    groups: dict[tuple[int, ...], list[tuple[str, Shape]]] = {}
    for param in net.params:
        items = tuple(dict.fromkeys(item_of[use.node] for use in param.uses))
        if len(items) > 1:
            groups.setdefault(items, []).append((param.name, param.shape))
    return tuple(Share(items, tuple(params)) for items, params in groups.items())


def _place(
    net: Net, problems: Iterable[Problem]
) -> tuple[dict[int, list[Problem]], tuple[Problem, ...]]:
    """Errors and warnings by the node they stand in, and those that stand in none."""
    spans = [(net.span(node.path), index) for index, node in enumerate(net.nodes)]
    starts = sorted((s.start, s.end, index) for s, index in spans if s is not None)
    begin = [start for start, _, _ in starts]
    placed: dict[int, list[Problem]] = {}
    stray: list[Problem] = []
    for problem in problems:
        if problem.severity is Severity.NOTE:
            continue
        at = bisect_right(begin, problem.span.start) - 1 if problem.span else -1
        if at >= 0 and problem.span is not None and problem.span.start < starts[at][1]:
            placed.setdefault(starts[at][2], []).append(problem)
        else:
            stray.append(problem)
    return placed, tuple(stray)


def remap(items: Iterable[Item], to: dict[int, int]) -> tuple[Item, ...]:
    """Items whose wires point at new indices; wires of one source become one."""
    out = []
    for item in items:
        wires: dict[tuple[int, bool], tuple[str, ...]] = {}
        for wire in item.wires:
            key = (to[wire.source], wire.quiet)
            wires[key] = wires.get(key, ()) + wire.blobs
        merged = tuple(Wire(source, blobs, quiet) for (source, quiet), blobs in wires.items())
        out.append(replace(item, wires=merged))
    return tuple(out)
