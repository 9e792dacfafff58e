"""What a net's loss is that has learned nothing."""

from __future__ import annotations

from math import log, prod

import numpy as np

from netdef.doctor.figures import Chance
from netdef.graph import Net as GraphNet
from netdef.run.net import Net


class ChanceMeter:
    """Finds the chance level of a net's first loss; of a Euclidean one from the targets it sees.

    Args:
        net: that is trained.
    """

    def __init__(self, net: Net) -> None:
        self._net = net
        self._node, self._weight = _loss(net.graph)
        self._target = self._find_target()
        self._targets: list[np.ndarray] = []

    def look(self) -> None:
        """Take in the targets of the batch that has run."""
        if self._target:
            self._targets.append(np.array(self._net.blobs[self._target].data, np.float64))

    def result(self) -> Chance | None:
        """The level; None where it is not known."""
        graph = self._net.graph
        if self._node is None:
            return None
        node = graph.nodes[self._node]
        shapes = graph.bottom_shapes(node)
        top = graph.blobs[node.tops[0]].name
        if node.type == "SoftmaxWithLoss" and shapes:
            axis = node.message.softmax_param.axis
            classes = shapes[0][axis] if axis < len(shapes[0]) else 0
            if classes < 2:
                return None
            return Chance(self._weight * log(classes), f"ln {classes}", top, self._node)
        if node.type == "SigmoidCrossEntropyLoss" and shapes:
            values = prod(shapes[0][1:])
            words = "ln 2" if values == 1 else f"{values} × ln 2"
            return Chance(self._weight * values * log(2), words, top, self._node)
        if node.type == "EuclideanLoss" and self._targets:
            targets = np.concatenate([t.reshape(t.shape[0], -1) for t in self._targets])
            if len(targets) < 2:
                return None
            value = 0.5 * float(targets.var(axis=0).sum())
            words = "that of always answering the targets' mean"
            return Chance(self._weight * value, words, top, self._node)
        return None

    def _find_target(self) -> str:
        """The bottom of a Euclidean loss that is data."""
        graph = self._net.graph
        if self._node is None or graph.nodes[self._node].type != "EuclideanLoss":
            return ""
        for bottom in graph.nodes[self._node].bottoms:
            if bottom is not None and not graph.nodes[graph.blobs[bottom].producer].bottoms:
                name = graph.blobs[bottom].name
                return name if graph.last()[name] == bottom else ""
        return ""


def _loss(graph: GraphNet) -> tuple[int | None, float]:
    """The loss layer with the greatest weight."""
    weights = [(blob.loss_weight, -i) for i, blob in enumerate(graph.blobs) if blob.loss_weight]
    if not weights:
        return None, 0.0
    weight, index = max(weights)
    return graph.blobs[-index].producer, weight
