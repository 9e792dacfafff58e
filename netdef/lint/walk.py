"""Ways through a compiled net: what stands before and behind a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netdef.graph import Net, Node
from netdef.layers.base import Phase

PASSING = ("Dropout", "Flatten", "Reshape", "Split")
"""Types that hand on values as they are, or some of them."""

WITH_WEIGHTS = ("Convolution", "Deconvolution", "InnerProduct")
"""Types that multiply by a learned weight, their first param."""


def trains(net: Net) -> bool:
    """Whether the net is built for training and has a loss."""
    return net.phase is Phase.TRAIN and any(blob.loss_weight for blob in net.blobs)


def behind(net: Net, node: int) -> Iterator[int]:
    """Nodes that read what a node makes."""
    for top in net.nodes[node].tops:
        for reader, _ in net.blobs[top].consumers:
            yield reader


def before(net: Net, node: int) -> Iterator[int]:
    """Nodes that make what a node reads, in the order of its bottoms."""
    for bottom in net.nodes[node].bottoms:
        if bottom is not None:
            yield net.blobs[bottom].producer


def all_behind(net: Net, node: int) -> set[int]:
    """Every node that what a node makes can reach."""
    return _reached([node], lambda at: behind(net, at))


def all_before(net: Net, nodes: list[int]) -> set[int]:
    """Every node whose work can reach any of some nodes."""
    return _reached(nodes, lambda at: before(net, at))


def learn_before(net: Net) -> list[bool]:
    """For each node whether any node that it depends on learns."""
    found: list[bool] = []
    for position in range(len(net.nodes)):
        found.append(any(found[o] or learns(net, net.nodes[o]) for o in before(net, position)))
    return found


def learn_behind(net: Net) -> list[bool]:
    """For each node whether any node that depends on it learns, or may learn."""
    found = [False] * len(net.nodes)
    for position in reversed(range(len(net.nodes))):
        found[position] = any(found[o] or may_learn(net, o) for o in behind(net, position))
    return found


def maker(net: Net, node: int, bottom: int) -> int | None:
    """The node that a bottom's values come from, through layers that only hand them on."""
    bottoms = net.nodes[node].bottoms
    at = bottoms[bottom] if bottom < len(bottoms) else None
    while at is not None:
        producer = net.blobs[at].producer
        if net.nodes[producer].type not in PASSING:
            return producer
        at = net.nodes[producer].bottoms[0] if net.nodes[producer].bottoms else None
    return None


def learns(net: Net, node: Node) -> bool:
    """Whether a solver changes any param of a node."""
    return any(net.params[param].learns for param in node.params)


def may_learn(net: Net, position: int) -> bool:
    """Whether a node learns, or it is not known: its type is not, or the shapes before it."""
    node = net.nodes[position]
    unknown = node.layer is None or net.bottom_shapes(node) is None
    return learns(net, node) or unknown


def has_loss(net: Net, node: int) -> bool:
    """Whether a node makes a loss."""
    return any(net.blobs[top].loss_weight for top in net.nodes[node].tops)


def _reached(start: list[int], step: Callable[[int], Iterator[int]]) -> set[int]:
    found: set[int] = set()
    waiting = list(start)
    while waiting:
        for other in step(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found
