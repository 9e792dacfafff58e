"""The pass that turns graph nodes into steps and blobs into values, each in its layout."""

from __future__ import annotations

from netdef.graph import Node
from netdef.layers.base import Layout, Shapes
from netdef.plan.program import Program, Step, Value


def lower(program: Program) -> None:
    """Order the steps, choose each one's layout, and put conversions between them.

    A layer computes in the layout it asks for; one that takes any computes where its first
    bottom lies. A value that is wanted in both layouts is converted once.
    """
    net = program.net
    home: dict[int, int] = {}  # graph blob -> value
    converted: dict[tuple[int, Layout], int] = {}
    for position, node in enumerate(net.nodes):
        assert node.layer is not None, f"{node.name} is not compiled"
        bottoms = [home[b] for b in node.bottoms if b is not None]
        shapes = net.bottom_shapes(node) or ()
        layout = _layout(program, node, bottoms, shapes)
        for i, bottom in enumerate(bottoms):
            if program.values[bottom].layout is not layout:
                key = (bottom, layout)
                if key not in converted:
                    converted[key] = _convert(program, position, bottom, layout)
                bottoms[i] = converted[key]
        tops = []
        for top in node.tops:
            blob = net.blobs[top]
            assert blob.shape is not None
            home[top] = len(program.values)
            tops.append(len(program.values))
            program.values.append(
                Value(
                    blob.name,
                    top,
                    blob.shape,
                    layout,
                    len(program.steps),
                    gradient=blob.backward,
                    seed=blob.loss_weight,
                )
            )
        _add(
            program,
            Step(
                position,
                node.layer,
                layout,
                tuple(bottoms),
                tuple(tops),
                node.propagate or (False,) * len(bottoms),
                node.backward,
                view=node.layer.is_view(shapes),
            ),
        )
    batches = [v.shape[0] for v in program.values if v.layout is Layout.CHWN]
    program.shards = max(1, min([program.options.shards, *batches]))


def _layout(program: Program, node: Node, bottoms: list[int], shapes: Shapes) -> Layout:
    assert node.layer is not None
    wanted = node.layer.layout_at(shapes)
    if wanted is Layout.ANY:
        wanted = program.values[bottoms[0]].layout if bottoms else Layout.NCHW
    if wanted is Layout.CHWN:
        tops = program.net.top_shapes(node) or ()
        if not all(shapes) or not all(tops):
            return Layout.NCHW  # a scalar has no batch axis
        if any(0 in shape for shape in (*shapes, *tops)):
            return Layout.NCHW  # an empty batch has nothing to shard
    return wanted


def _convert(program: Program, position: int, bottom: int, layout: Layout) -> int:
    """Add a copy of a value in another layout."""
    old = program.values[bottom]
    top = len(program.values)
    gradient = old.gradient
    step = len(program.steps)
    program.values.append(
        Value(old.name, old.blob, old.shape, layout, step, copy=True, gradient=gradient)
    )
    _add(program, Step(position, None, layout, (bottom,), (top,), (gradient,), gradient))
    return top


def _add(program: Program, step: Step) -> None:
    for i, bottom in enumerate(step.bottoms):
        program.values[bottom].consumers.append((len(program.steps), i))
    step.adds = (False,) * len(step.bottoms)
    program.steps.append(step)
