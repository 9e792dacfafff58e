"""The compiler's front half: PASSES, read from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netdef.diag import Report
from netdef.graph.connect_blobs import connect_blobs
from netdef.graph.filter_state import filter_state
from netdef.graph.infer_shapes import infer_shapes
from netdef.graph.mark_backward import mark_backward
from netdef.graph.net import Net, Pass, State
from netdef.graph.resolve_types import resolve_types
from netdef.graph.share_params import share_params
from netdef.graph.weigh_losses import weigh_losses
from netdef.layers.base import Layer, Shape, Shapes
from netdef.schema.document import Document

PASSES: tuple[Pass, ...] = (
    filter_state,  # keep the layers of this phase, level and stage
    resolve_types,  # messages become layers
    connect_blobs,  # bottoms find the tops they read
    infer_shapes,  # every blob and param gets its shape
    share_params,  # params of one name become one param
    weigh_losses,  # which tops make up the loss
    mark_backward,  # which gradients are wanted
)


def compile_net(
    document: Document,
    state: State,
    report: Report,
    *,
    input_shapes: dict[str, Shape] | None = None,
    looking: bool = False,
    strict: bool = False,
    roots: frozenset[str] = frozenset(),
    resized: Mapping[int, Shapes] | None = None,
    begun: dict[int, Layer[Any]] | None = None,
    until: int | None = None,
) -> Net:
    """Run all passes.

    Args:
        document: the net as read.
        state: phase, level and stages.
        report: where problems go; the passes go on with what they know.
        input_shapes: shapes in place of those that Input layers state, by blob name.
        looking: the net is only looked at, see `Net.looking`.
        strict: refuse what Caffe refuses.
        roots: blobs that backward starts from besides the losses.
        resized: shapes that tops turned out to need, by node.
        begun: takes layers that are begun, and gives them where they are; see `Net.begun`.
        until: the last node to compile; None for all.
    """
    net = Net(
        document,
        state,
        input_shapes=input_shapes or {},
        looking=looking,
        strict=strict,
        roots=roots,
        resized=resized or {},
        begun={} if begun is None else begun,
    )
    for run_pass in PASSES:
        net = run_pass(net, report)
        if run_pass is filter_state and until is not None:
            net = replace(net, nodes=net.nodes[: until + 1])
    return net
