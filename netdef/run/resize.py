"""What stays where tops turn out to have other shapes, and a net gets a new plan while it runs.

A plan of the same shapes up to some node, in as many shards, gives the same values and buffers
to the nodes before it: they are copied over, so that these nodes need not run again.

Where several layers resize, the shapes after the second are not known before it ran, and may
contradict each other until then. The net then goes on in parts: each plan ends with the next
layer that resizes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from netdef.graph import Net
from netdef.layers.base import DataLayer, Forward, Shape
from netdef.plan import Program


def node_of(program: Program, run: Forward[Any]) -> int:
    """The node that was handed a run."""
    return next(s.node for s in program.steps if any(r is run for r in s.forward_runs))


def source_shapes(net: Net) -> dict[str, Shape]:
    """Shapes of the tops of data layers, so that nobody opens their sources to learn them."""
    found: dict[str, Shape] = {}
    for node in net.nodes:
        if isinstance(node.layer, DataLayer):
            blobs = [net.blobs[top] for top in node.tops]
            found |= {blob.name: blob.shape for blob in blobs if blob.shape is not None}
    return found


def next_resizing(net: Net, node: int) -> int | None:
    """The next node after one whose tops may turn out to have other shapes."""
    later = enumerate(net.nodes[node + 1 :], node + 1)
    return next((i for i, n in later if n.layer is not None and n.layer.resizes), None)


def marked_as(part: Net, whole: Net) -> Net:
    """The beginning of a net with the gradients wanted that the whole net wants there."""
    nodes = tuple(
        replace(node, backward=same.backward, propagate=same.propagate)
        for node, same in zip(part.nodes, whole.nodes, strict=False)
    )
    blobs = tuple(
        replace(blob, backward=same.backward)
        for blob, same in zip(part.blobs, whole.blobs, strict=False)
    )
    return replace(part, nodes=nodes, blobs=blobs)


def carry(old: Program, new: Program, node: int) -> None:
    """Copy what the steps of the nodes before one have computed from one plan to another.

    Args:
        old: the plan that ran up to the node.
        new: a plan of the same net, with the same shapes before the node.
        node: the first that has not run.
    """
    assert old.shards == new.shards, "shards cannot be cut anew between layers"
    held = {(value.blob, value.layout): value for value in old.values}
    for value in new.values:
        if new.steps[value.step].node < node:
            was = held[value.blob, value.layout]
            for array, values in zip(value.arrays, was.arrays, strict=True):
                np.copyto(array, values)
    buffers = {
        (step.node, shard): run
        for step in old.steps
        if step.layer is not None and step.node < node
        for shard, run in enumerate(step.forward_runs)
    }
    for step in new.steps:
        if step.layer is None or step.view or step.node >= node:
            continue
        for shard, run in enumerate(step.forward_runs):
            for name, buffer in step.layer.buffers(run.site).items():
                if buffer.saved and not buffer.lasting:
                    np.copyto(run.buffer(name), buffers[step.node, shard].buffer(name))
