"""Whether labels go with their data: gradients with right labels beside those with swapped ones.

What the right labels add to a gradient points the same way in every batch where they say
something about the data, and anywhere where they do not.
"""

from __future__ import annotations

import numpy as np

from netdef.doctor.figures import LabelTest
from netdef.graph import Blob
from netdef.graph import Net as GraphNet
from netdef.run.net import Net

_FEWEST, _MOST = 8, 16  # batches
_PER_CLASS = 20  # examples of a class that the test wants to see
_SCORED = ("Accuracy", "SoftmaxWithLoss", "Silence")


def try_labels(net: Net) -> LabelTest | None:
    """Run a few batches; the weights stay as they are.

    Returns:
        None where the net has no single source of class labels, or the data would be too few.
    """
    found = _labels(net)
    if found is None:
        return None
    node, blob, classes, start = found
    labels = net.blobs[blob]
    batch = labels.count
    batches = max(_FEWEST, -(-_PER_CLASS * classes // max(batch, 1)))
    if batches > _MOST:
        return None
    total: np.ndarray | None = None
    squares = 0.0
    random = np.random.default_rng(0)
    before: np.ndarray | None = None
    used = 0
    for _ in range(batches):
        passes = net.passes
        net.clear_param_diffs()
        net.forward()
        net.backward()
        right = _gradient(net)
        own = np.array(labels.data)
        swapped = random.permutation(own.reshape(-1)).reshape(own.shape)
        if batch < 2:
            if before is None:
                before = own
                continue
            swapped = before
        labels.data[...] = swapped
        net.passes = passes  # the same Dropout
        net.clear_param_diffs()
        net.forward(start=start)
        net.backward()
        difference = right - _gradient(net)
        before = own
        size = float(np.dot(difference, difference))
        if not np.isfinite(size) or size == 0:
            continue
        used += 1
        # each batch counts alike, however large its gradient
        difference /= np.sqrt(size)
        squares += 1.0
        total = difference if total is None else total + difference
    net.clear_param_diffs()
    if total is None or used < _FEWEST - 1:
        return None
    cosine = (float(np.dot(total, total)) - squares) / (used * (used - 1))
    return LabelTest(cosine, used * batch, classes, blob, node)


def _labels(net: Net) -> tuple[int, str, int, str] | None:
    """Source node and blob of the labels, number of classes, first layer that is no source."""
    graph = net.graph
    losses = [n for n in graph.nodes if n.type == "SoftmaxWithLoss" and n.backward]
    if len(losses) != 1 or any(blob.loss_weight for blob in graph.blobs if _other(graph, blob)):
        return None
    (loss,) = losses
    shapes = graph.bottom_shapes(loss)
    bottom = loss.bottoms[1] if len(loss.bottoms) > 1 else None
    if shapes is None or bottom is None or len(shapes[0]) < 2:
        return None
    blob = graph.blobs[bottom]
    producer = graph.nodes[blob.producer]
    if (
        producer.bottoms
        or blob.version
        or any(graph.nodes[reader].type not in _SCORED for reader, _ in blob.consumers)
    ):
        return None
    sources = [i for i, n in enumerate(graph.nodes) if not n.bottoms]
    first = next((i for i, n in enumerate(graph.nodes) if n.bottoms), None)
    if first is None or any(source > first for source in sources):
        return None
    axis = loss.message.softmax_param.axis
    return blob.producer, blob.name, shapes[0][axis], graph.nodes[first].name


def _other(graph: GraphNet, blob: Blob) -> bool:
    """Whether a loss is another layer's than a SoftmaxWithLoss."""
    return graph.nodes[blob.producer].type != "SoftmaxWithLoss"


def _gradient(net: Net) -> np.ndarray:
    """All gradients of what learns, as one vector."""
    return np.concatenate(
        [np.array(p.diff, np.float32).reshape(-1) for p in net.learned if p.learns]
    )
