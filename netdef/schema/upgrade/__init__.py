"""Older syntax brought up to date: one file for each change that Caffe's syntax went through.

Knows how nets were written in 2013 and 2014. Has never heard of weights' values or of whether
a net makes sense. Each upgrade changes the message and returns the places under the new paths,
so that a problem in an upgraded net points at what the user wrote.
"""

from __future__ import annotations

from collections.abc import Callable

from netdef.diag import Report
from netdef.schema.netdef_pb2 import NetParameter, SolverParameter
from netdef.schema.upgrade.batch_norm import freeze_statistics
from netdef.schema.upgrade.inputs import inputs_to_layer
from netdef.schema.upgrade.moved_fields import warn_of_moved_fields
from netdef.schema.upgrade.solver_type import solver_type_to_type
from netdef.schema.upgrade.transform import move_transforms
from netdef.schema.upgrade.v0_layers import v0_to_v1
from netdef.schema.upgrade.v0_padding import fold_padding
from netdef.schema.upgrade.v1_layers import v1_to_layer
from netdef.text import SpanMap

# Each is (net, places, report) -> places.
NET_UPGRADES: tuple[Callable[[NetParameter, SpanMap, Report], SpanMap], ...] = (
    fold_padding,  # V0: `padding` layers become the pad of the layer they feed
    v0_to_v1,  # V0: layers { layer { type: "conv" } } becomes layers { type: CONVOLUTION }
    move_transforms,  # V1: data_param { scale } becomes transform_param { scale }
    v1_to_layer,  # V1: layers { type: CONVOLUTION } becomes layer { type: "Convolution" }
    inputs_to_layer,  # input, input_shape, input_dim become an Input layer
    freeze_statistics,  # BatchNorm's three params get lr_mult 0
    warn_of_moved_fields,  # changes nothing
)


def upgrade_net(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Bring a net to the current syntax, in place.

    Args:
        net: the net as written.
        spans: where its fields stand.
        report: where problems go.

    Returns:
        The places, by the paths of the upgraded net.
    """
    for upgrade in NET_UPGRADES:
        spans = upgrade(net, spans, report)
    return spans


def upgrade_solver(solver: SolverParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Bring a solver to the current syntax, in place; as `upgrade_net`."""
    return solver_type_to_type(solver, spans, report)


def is_old(net: NetParameter) -> bool:
    """Whether a net is written in a syntax that an upgrade changes."""
    after = NetParameter()
    after.CopyFrom(net)
    from netdef.diag import Source

    upgrade_net(after, SpanMap(Source("", "")), Report())
    return after != net
