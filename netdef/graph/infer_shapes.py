"""The pass that gives every blob its shape, without running anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath

from netdef.data.reader import Context
from netdef.diag import BottomError, FieldError, Report, Severity
from netdef.graph.net import Net, Node
from netdef.graph.problems import BadBottom, BadSetting, complaint
from netdef.layers.base import DataLayer, Learned, Phase, Shapes


def infer_shapes(net: Net, report: Report) -> Net:
    """Give every blob its shape and every layer its params.

    Data layers open their source to see what it holds. Where a shape cannot be known, because a
    type is unknown or a source is missing, what follows from it stays None.
    """
    blobs = list(net.blobs)
    nodes: list[Node] = []
    for node in net.nodes:
        now = replace(net, blobs=tuple(blobs))
        tops = _top_shapes(now, node, report)
        learned: tuple[Learned, ...] = ()
        bottoms = now.bottom_shapes(node)
        if tops is not None and bottoms is not None and node.layer is not None:
            learned = node.layer.params(bottoms)
            for index, shape in zip(node.tops, tops, strict=False):
                blobs[index] = replace(blobs[index], shape=shape)
        nodes.append(replace(node, learned=learned))
    return replace(net, nodes=tuple(nodes), blobs=tuple(blobs))


def _top_shapes(net: Net, node: Node, report: Report) -> Shapes | None:
    bottoms = net.bottom_shapes(node)
    if node.layer is None or bottoms is None:
        return None
    try:
        if isinstance(node.layer, DataLayer):
            return _data_shapes(net, node, node.layer, report)
        shapes = node.layer.shapes(bottoms)
        for learned in node.layer.params(bottoms):
            learned.filler.check(learned.shape, node.type)
    except (FieldError, BottomError) as error:
        report.add(complaint(net, node, error))
        return None
    if len(shapes) == 1 and len(node.tops) > 1:
        shapes *= len(node.tops)
    return _overridden(net, node, shapes)


def _overridden(net: Net, node: Node, shapes: Shapes) -> Shapes:
    if node.type != "Input":
        return shapes
    names = [net.blobs[top].name for top in node.tops]
    return tuple(net.input_shapes.get(n, s) for n, s in zip(names, shapes, strict=True))


def _data_shapes(net: Net, node: Node, layer: DataLayer, report: Report) -> Shapes | None:
    names = tuple(node.message.top)
    if all(name in net.input_shapes for name in names):
        return tuple(net.input_shapes[name] for name in names)
    try:
        reader = layer.open(context_of(net), names)
    except FieldError as error:
        problem = complaint(net, node, error)
        assert isinstance(problem, BadSetting | BadBottom)
        if net.looking:
            problem = replace(problem, severity=Severity.WARNING)
        report.add(problem)
        return layer.known_shapes(names)
    try:
        return reader.shapes
    finally:
        reader.close()


def context_of(net: Net, seed: int = 0) -> Context:
    """What the net's data sources must know."""
    folder = FilePath(net.document.path).parent if net.document.path else None
    return Context(net.phase is Phase.TRAIN, seed, folder)
