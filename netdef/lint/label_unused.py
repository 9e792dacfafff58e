"""Labels that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer
from netdef.lint.walk import trains

_SOURCES = ("Data", "HDF5Data", "ImageData", "MemoryData", "WindowData")


class LabelUnused(Problem):
    """A data layer makes a blob in training that no layer reads.

    Mostly it is the label, and the loss reads another blob than was meant. Where it is not
    needed, leave the top out, or feed it to a Silence layer, which says so.

    Example:
        layer { name: "data" type: "Data" top: "data" top: "label" ... }
        layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "data" top: "loss" }
    Write:
        layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "label" top: "loss" }
    """

    code = "N709"
    default_severity = Severity.WARNING


def label_unused(net: Net) -> Iterator[Problem]:
    """Find tops of data layers behind the first that nobody reads."""
    if not trains(net):
        return
    for node in net.nodes:
        if node.type not in _SOURCES:
            continue
        for position, top in enumerate(node.tops):
            if position == 0 or net.blobs[top].consumers:
                continue
            span = net.span((*node.path, "top", position))
            yield LabelUnused(
                f"nothing reads `{net.blobs[top].name}`, a top of `{node.name}`",
                span,
                label="not a bottom of any layer in training",
                labels=in_layer(net, node, span),
                help="give it to the loss, or to a Silence layer where it is not needed",
            )
