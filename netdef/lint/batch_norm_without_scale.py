"""BatchNorm without a Scale behind it."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, place
from netdef.lint.walk import WITH_WEIGHTS, behind


class BatchNormWithoutScale(Problem):
    """A BatchNorm layer has no Scale layer behind it.

    Caffe's BatchNorm only normalises. The learned factor and shift that papers count as part of
    batch normalisation are a layer of their own, and without it every channel has mean 0 and
    variance 1 whatever the net would need; with a ReLU behind it, half of all values are cut.
    Layers with weights right behind it bring a factor of their own, and need none.

    Example:
        layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
        layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
    Write:
        layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
        layer {
          name: "scale1" type: "Scale" bottom: "conv1" top: "conv1"
          scale_param { bias_term: true }
        }
        layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
    """

    code = "N701"
    default_severity = Severity.WARNING


def batch_norm_without_scale(net: Net) -> Iterator[Problem]:
    """Find BatchNorm layers whose top goes to something else than a Scale."""
    for position, node in enumerate(net.nodes):
        if node.type != "BatchNorm":
            continue
        readers = [net.nodes[reader] for reader in behind(net, position)]
        fine = ("Scale", "BatchNorm", *WITH_WEIGHTS)
        if not readers or any(r.type in fine or r.layer is None for r in readers):
            continue
        span = place(net, node, "type")
        top = node.message.top[0]
        yield BatchNormWithoutScale(
            f"`{node.name}` has no Scale layer behind it",
            span,
            label=f"goes to `{readers[0].name}` ({readers[0].type})",
            labels=in_layer(net, node, span),
            help=f'write behind it: layer {{ name: "{node.name}_scale" type: "Scale" '
            f'bottom: "{top}" top: "{top}" scale_param {{ bias_term: true }} }}',
        )
