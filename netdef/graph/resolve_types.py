"""The pass that turns layer messages into layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netdef import layers
from netdef.diag import FieldError, Report, nearest, respelt, surely
from netdef.graph.net import Net, Node
from netdef.graph.problems import UnknownLayerType, WrongCount, complaint, in_layer, name_span
from netdef.layers.base import Layer
from netdef.schema.forks import about_type
from netdef.schema.netdef_pb2 import V1LayerParameter
from netdef.schema.upgrade.v1_layers import TYPES as CURRENT_TYPES


def resolve_types(net: Net, report: Report) -> Net:
    """Give every node its layer, with settings read and bottoms and tops counted.

    A node whose type is unknown or whose settings are refused keeps `layer` None.
    """
    return replace(net, nodes=tuple(_resolve(net, node, report) for node in net.nodes))


def _resolve(net: Net, node: Node, report: Report) -> Node:
    found = layers.find(node.type)
    if found is None:
        _unknown(net, node, report)
        return node
    try:
        layer = found.read(node.message, net.phase)
    except FieldError as error:
        report.add(complaint(net, node, error))
        return node
    if _counts_fit(net, node, layer, report):
        return replace(node, layer=layer)
    return node


def _unknown(net: Net, node: Node, report: Report) -> None:
    span = net.span((*node.path, "type"))
    if not node.message.HasField("type"):
        # where it was written and could not be read, that is the place
        written = net.document.spans.value((*node.path, "type"))
        report.add(
            UnknownLayerType(f"layer `{node.name}` has no type", written or name_span(net, node))
        )
        return
    fork = about_type(node.type)
    sure = None if fork else _current_type(node.type) or _meant(node.type)
    near = [sure] if sure else nearest(node.type, layers.types())
    words = " or ".join(f"`{name}`" for name in near)
    help_ = f"the nearest known type is {words}" if near else "`netdef layers` lists them"
    report.add(
        UnknownLayerType(
            f"unknown layer type `{node.type}`",
            span,
            label="no such type",
            labels=in_layer(net, node, span),
            notes=(fork,) if fork else (),
            help="to look at the rest of the net: `--allow-unknown`" if fork else help_,
            fixes=respelt(span, sure),
        )
    )


def _current_type(name: str) -> str:
    """Today's name of a type that is written as in the V1 syntax: `SOFTMAX_LOSS`; "" for none."""
    numbers = dict(V1LayerParameter.LayerType.items())
    return CURRENT_TYPES[numbers[name]] if name in numbers else ""


def _meant(name: str) -> str | None:
    return surely(name, layers.types(), ends_kept=True)


def _counts_fit(net: Net, node: Node, layer: Layer[Any], report: Report) -> bool:
    message = node.message
    bottoms, tops = len(message.bottom), len(message.top)
    wrong = [
        _count(net, node, "bottom", bottoms, *layer.bottom_count),
        _count(net, node, "top", tops, *layer.top_count),
    ]
    if layer.same_count and bottoms != tops:
        wrong.append(
            WrongCount(
                f"layer `{node.name}` has {bottoms} bottoms and {tops} tops, needs as many of each",
                name_span(net, node),
            )
        )
    if message.propagate_down and len(message.propagate_down) != bottoms:
        wrong.append(
            WrongCount(
                f"layer `{node.name}` has {len(message.propagate_down)} propagate_down for "
                f"{bottoms} bottoms",
                net.span((*node.path, "propagate_down", 0)),
                help="write one propagate_down for each bottom, or none",
            )
        )
    for problem in wrong:
        if problem is not None:
            report.add(problem)
    return not any(wrong)


def _count(
    net: Net, node: Node, what: str, count: int, least: int, most: int | None
) -> WrongCount | None:
    if least <= count and (most is None or count <= most):
        return None
    if least == most:
        needs = f"exactly {least}" if least else "none"
    elif most is None:
        needs = f"at least {least}"
    else:
        needs = f"{least} to {most}"
    over = most is not None and count > most
    path = (*node.path, what, most or 0) if over else (*node.path, "name")
    has = f"has {count} {what}{'s' * (count != 1)}" if count else f"has no {what}"
    return WrongCount(
        f"layer `{node.name}` {has}, {node.type} takes {needs}",
        net.span(path),
        labels=in_layer(net, node, net.span(path)),
    )
