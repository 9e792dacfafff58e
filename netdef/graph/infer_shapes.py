"""The pass that gives every blob its shape, without running anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from netdef.data.reader import Context
from netdef.diag import BottomError, FieldError, Report, Severity
from netdef.graph.net import Net, Node
from netdef.graph.problems import BadBottom, BadSetting, RunsCode, complaint, in_layer, place
from netdef.layers.base import DataLayer, Learned, OutsideLayer, Phase, Shapes


def infer_shapes(net: Net, report: Report) -> Net:
    """Give every blob its shape and every layer its params.

    Data layers open their source to see what it holds. Where a shape cannot be known, because a
    type is unknown, a source is missing or code of the user's is not run, what follows from it
    stays None.
    """
    blobs = list(net.blobs)
    nodes: list[Node] = []
    for position, unbegun in enumerate(net.nodes):
        now = replace(net, blobs=tuple(blobs))
        node = _begun(now, position, unbegun, report)
        tops = _top_shapes(now, position, node, report)
        learned: tuple[Learned, ...] = ()
        bottoms = now.bottom_shapes(node)
        if tops is not None and bottoms is not None and node.layer is not None:
            learned = node.layer.params(bottoms)
            for index, shape in zip(node.tops, tops, strict=False):
                blobs[index] = replace(blobs[index], shape=shape)
        nodes.append(replace(node, learned=learned))
    return replace(net, nodes=tuple(nodes), blobs=tuple(blobs))


def _begun(net: Net, position: int, node: Node, report: Report) -> Node:
    """The node with what its layer takes from outside the net, where it may."""
    layer, bottoms = node.layer, net.bottom_shapes(node)
    if not isinstance(layer, OutsideLayer) or bottoms is None:
        return node
    if position not in net.begun:
        if layer.runs_code:
            report.add(_runs_code(net, node, layer))
            if net.looking:
                return node
        try:
            net.begun[position] = layer.begin(context_of(net), bottoms)
        except FieldError as error:
            report.add(_missing(net, node, error))
            return node
    return replace(node, layer=net.begun[position])


def _runs_code(net: Net, node: Node, layer: OutsideLayer[Any]) -> RunsCode:
    span = place(net, node, "type")
    if not net.looking:
        message, label = f"layer `{node.name}` runs {layer.code()}", "imported"
    else:
        message = f"shapes after layer `{node.name}` are unknown: it runs {layer.code()}"
        label = "not imported where the net is only looked at"
    return RunsCode(message, span, label=label, labels=in_layer(net, node, span))


def _missing(net: Net, node: Node, error: FieldError) -> BadSetting | BadBottom:
    """A complaint about what is outside of the net; no error where that is not to run."""
    problem = complaint(net, node, error)
    assert isinstance(problem, BadSetting | BadBottom)
    return replace(problem, severity=Severity.WARNING) if net.looking else problem


def _top_shapes(net: Net, position: int, node: Node, report: Report) -> Shapes | None:
    bottoms = net.bottom_shapes(node)
    if node.layer is None or bottoms is None:
        return None
    if isinstance(node.layer, OutsideLayer) and not node.layer.ready:
        return None
    try:
        if isinstance(node.layer, DataLayer):
            return _data_shapes(net, node, node.layer, report)
        shapes = node.layer.shapes(bottoms)
        for learned in node.layer.params(bottoms):
            learned.filler.check(learned.shape, node.type)
    except (FieldError, BottomError) as error:
        report.add(complaint(net, node, error, of_sizes=True))
        return None
    if position in net.resized:
        return net.resized[position]
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
        report.add(_missing(net, node, error))
        return layer.known_shapes(names)
    try:
        return reader.shapes
    finally:
        reader.close()


def context_of(net: Net, seed: int = 0) -> Context:
    """What the net's data sources must know."""
    folder = FilePath(net.document.path).parent if net.document.path else None
    return Context(net.phase is Phase.TRAIN, seed, folder)
