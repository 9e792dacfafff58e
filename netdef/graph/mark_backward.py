"""The pass that says which gradients are wanted."""

from __future__ import annotations

from dataclasses import replace

from netdef.diag import Report
from netdef.graph.net import Net, Node
from netdef.graph.problems import NoGradient, in_layer


def mark_backward(net: Net, report: Report) -> Net:
    """Mark layers that run backward, bottoms they propagate to, and blobs that have a gradient.

    A gradient is wanted by what learns and by what lies between that and a loss, as in Caffe;
    `propagate_down` overrules it for one bottom, `force_backward` for all.
    """
    needed = _needed(net)
    reached = _reached(net)
    force = net.message.force_backward
    nodes: list[Node] = []
    blobs = [False] * len(net.blobs)
    for node, (backward, propagate) in zip(net.nodes, needed, strict=True):
        under = any(reached[top] for top in node.tops)
        wanted = tuple(under and wish for wish in propagate)
        if force:
            wanted = tuple(
                wish or (_allowed(node, i) and not _explicit_no(node, i))
                for i, wish in enumerate(wanted)
            )
        runs = bool(node.tops) and ((force and bool(node.bottoms)) or (under and backward))
        runs = runs and (any(wanted) or any(net.params[p].learns for p in node.params))
        wanted = wanted if runs else (False,) * len(wanted)
        for i, (wish, bottom) in enumerate(zip(wanted, node.bottoms, strict=True)):
            if wish and not _allowed(node, i):
                _refuse(net, node, i, report)
            if wish and bottom is not None:
                blobs[bottom] = True
        if runs:
            for top in node.tops:
                blobs[top] = True
        nodes.append(replace(node, propagate=wanted, backward=runs))
    marked = tuple(replace(b, backward=m) for b, m in zip(net.blobs, blobs, strict=True))
    return replace(net, nodes=tuple(nodes), blobs=marked)


def _needed(net: Net) -> list[tuple[bool, tuple[bool, ...]]]:
    """For each node whether it needs backward, and which bottoms want a gradient."""
    blob = [False] * len(net.blobs)
    found = []
    for node in net.nodes:
        raw = [bottom is not None and blob[bottom] for bottom in node.bottoms]
        explicit = list(node.message.propagate_down)
        propagate = tuple(explicit if len(explicit) == len(raw) else raw)
        needs = any(raw) or any(net.params[p].learns for p in node.params)
        for top in node.tops:
            blob[top] = needs
        found.append((needs, propagate))
    return found


def _reached(net: Net) -> list[bool]:
    """For each blob whether a loss, or a root, depends on it."""
    blob = [b.loss_weight != 0 for b in net.blobs]
    last = net.last()
    for name in net.roots & last.keys():
        blob[last[name]] = True
    for node in reversed(net.nodes):
        explicit = list(node.message.propagate_down)
        if any(blob[top] for top in node.tops):
            for i, bottom in enumerate(node.bottoms):
                if bottom is not None and (len(explicit) <= i or explicit[i]):
                    blob[bottom] = True
    return blob


def _allowed(node: Node, bottom: int) -> bool:
    return node.layer is None or bottom not in node.layer.no_gradient


def _explicit_no(node: Node, bottom: int) -> bool:
    explicit = node.message.propagate_down
    return bottom < len(explicit) and not explicit[bottom]


def _refuse(net: Net, node: Node, bottom: int, report: Report) -> None:
    span = net.span((*node.path, "bottom", bottom))
    name = node.message.bottom[bottom]
    report.add(
        NoGradient(
            f"layer `{node.name}` cannot give `{name}` a gradient, but one is wanted",
            span,
            label="no gradient by this bottom",
            labels=in_layer(net, node, span),
            help="stop it with one propagate_down for each bottom: "
            + " ".join(
                f"propagate_down: {str(i != bottom).lower()}" for i in range(len(node.bottoms))
            ),
        )
    )
