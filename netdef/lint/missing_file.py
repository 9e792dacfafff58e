"""Files that a net names and that are not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from netdef.data.reader import Context, find_path
from netdef.diag import Problem, Severity, nearest
from netdef.graph import Net, Node
from netdef.graph.problems import in_layer, place
from netdef.layers.base import Phase

# By layer type, fields with the path of a file or folder; sources that a shape follows from are
# opened, and missed, when shapes are inferred.
_FIELDS = {
    "Data": ("transform_param.mean_file",),
    "ImageData": ("transform_param.mean_file", "image_data_param.root_folder"),
    "MemoryData": ("transform_param.mean_file",),
    "WindowData": (
        "transform_param.mean_file",
        "window_data_param.mean_file",
        "window_data_param.root_folder",
    ),
    "InfogainLoss": ("infogain_loss_param.source",),
}


class MissingFile(Problem):
    """A file or folder that the net names is not there.

    Names are taken from the folder netdef was started in, as Caffe does, and from that of the
    prototxt where there is nothing.

    Example:
        transform_param { mean_file: "data/ilsvrc12/imagenet_mean.binaryproto" }

    Write a path that leads to the file from where you are, or make the file: a mean comes from
    the images of a database.
    """

    code = "N715"
    default_severity = Severity.WARNING


def missing_file(net: Net) -> Iterator[Problem]:
    """Find paths in layers' settings that lead to nothing."""
    folder = Path(net.document.path).parent if net.document.path else None
    context = Context(net.phase is Phase.TRAIN, 0, folder)
    for node in net.nodes:
        for field in _FIELDS.get(node.type, ()):
            name = _value(node, field)
            path = find_path(name, context)
            if not name or os.path.exists(path):
                continue
            span = place(net, node, field)
            yield MissingFile(
                f"there is no `{name}`, which `{node.name}` reads as its "
                f"{field.rpartition('.')[2]}",
                span,
                label="leads to nothing",
                labels=in_layer(net, node, span),
                help=_near(path),
            )


def _value(node: Node, field: str) -> str:
    message, _, name = field.partition(".")
    value: str = getattr(getattr(node.message, message), name)
    return value


def _near(path: Path) -> str:
    try:
        there = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"there is no folder `{path.parent}` either"
    near = nearest(path.name, there, 1)
    return f"a near name is `{path.parent / near[0]}`" if near else ""
