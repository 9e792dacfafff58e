"""The pass that finds, for each bottom, the top it reads."""

from __future__ import annotations

from dataclasses import replace

from netdef.diag import Label, Report, nearest
from netdef.graph.net import Blob, Net, Node, Path
from netdef.graph.problems import TopMadeTwice, UnknownBottom, in_layer


def connect_blobs(net: Net, report: Report) -> Net:
    """Give every node the versions of the blobs it reads and makes.

    A top whose name is also the bottom at the same position is written in place: it becomes the
    next version of that blob. Any other second top of a name is refused.
    """
    blobs: list[Blob] = []
    current: dict[str, int] = {}
    nodes: list[Node] = []
    for node in net.nodes:
        bottoms = tuple(
            _find(net, node, position, name, current, report)
            for position, name in enumerate(node.message.bottom)
        )
        for position, index in enumerate(bottoms):
            if index is not None:
                consumers = (*blobs[index].consumers, (len(nodes), position))
                blobs[index] = replace(blobs[index], consumers=consumers)
        tops = []
        for position, name in enumerate(node.message.top):
            old = current.get(name)
            in_place = list(node.message.bottom[position : position + 1]) == [name]
            if old is not None and not in_place:
                _made_twice(net, node, position, blobs[old], nodes, report)
            version = 0 if old is None else blobs[old].version + 1
            current[name] = len(blobs)
            tops.append(len(blobs))
            blobs.append(Blob(name, version, len(nodes), position))
        nodes.append(replace(node, bottoms=bottoms, tops=tuple(tops)))
    return replace(net, nodes=tuple(nodes), blobs=tuple(blobs))


def _find(
    net: Net, node: Node, position: int, name: str, current: dict[str, int], report: Report
) -> int | None:
    if name in current:
        return current[name]
    span = net.span((*node.path, "bottom", position))
    labels = list(in_layer(net, node, span))
    notes = []
    makers = [(i, m) for i, m in enumerate(net.message.layer) if name in m.top]
    kept = {n.path for n in net.nodes}
    for index, maker in makers[:1]:
        path: Path = ("layer", index)
        at = net.span((*path, "top", list(maker.top).index(name)))
        if path in kept:
            text = "made here, after it is read"
        else:
            text = f"made here, but this layer is not in the net for {net.state}"
        if at is not None:
            labels.append(Label(at, text))
        else:
            notes.append(text)
    near = [] if makers else nearest(name, current)
    report.add(
        UnknownBottom(
            f"no layer makes `{name}`, a bottom of layer `{node.name}`"
            if not makers
            else f"`{name}`, a bottom of layer `{node.name}`, is not there when it is read",
            span,
            label="unknown blob",
            labels=tuple(labels),
            notes=tuple(notes),
            help=f"the nearest blob is `{near[0]}`" if near else "",
        )
    )
    return None


def _made_twice(
    net: Net, node: Node, position: int, old: Blob, nodes: list[Node], report: Report
) -> None:
    name = node.message.top[position]
    # a layer that has not got into `nodes` yet is the one that names a top twice
    maker = nodes[old.producer] if old.producer < len(nodes) else node
    first = net.span((*maker.path, "top", old.top))
    report.add(
        TopMadeTwice(
            f"layer `{node.name}` makes `{name}` twice"
            if maker is node
            else f"two layers make `{name}`: `{maker.name}` and `{node.name}`",
            net.span((*node.path, "top", position)),
            label="made again",
            labels=(Label(first, "made here"),) if first else (),
            help="give it another name, or write it in place: the same name at the same position "
            "among the bottoms",
        )
    )
