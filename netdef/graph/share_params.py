"""The pass that makes params of one name one param."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from netdef.diag import Label, Report, Severity
from netdef.graph.net import Net, Node, Param, Use
from netdef.graph.problems import (
    MixedRates,
    SharedDecay,
    SharedShape,
    TooManyParams,
    in_layer,
    show_shape,
)
from netdef.graph.tell_sizes import tell_sizes
from netdef.schema import ParamSpec


def share_params(net: Net, report: Report) -> Net:
    """Gather the params, owners first, each with all its uses.

    The first layer that names a param owns it: shape and filler are its own. Rates and decays
    follow Caffe's rule of adoption: a use that sets none takes the owner's, or else the first
    that is set. Where uses set different `lr_mult`, each use's gradient counts with its own:
    with m the greatest, use k is scaled by m_k / m and the param trains at base_lr * m.
    """
    owners: dict[str, int] = {}
    uses: list[list[tuple[int, int]]] = []
    nodes: list[Node] = []
    for position, node in enumerate(net.nodes):
        _check_count(net, node, report)
        indices = []
        for index, _ in enumerate(node.learned):
            name = _spec(node, index).name
            if name and name in owners:
                owner = owners[name]
                _check_fit(net, uses[owner][0], (position, index), report)
                uses[owner].append((position, index))
            else:
                owner = len(uses)
                uses.append([(position, index)])
                if name:
                    owners[name] = owner
            indices.append(owner)
        nodes.append(replace(node, params=tuple(indices)))
    params = tuple(_param(net, found, report) for found in uses)
    return replace(net, nodes=tuple(nodes), params=params)


def _spec(node: Node, index: int) -> ParamSpec:
    return node.message.param[index] if index < len(node.message.param) else ParamSpec()


def _param(net: Net, uses: list[tuple[int, int]], report: Report) -> Param:
    specs = [_spec(net.nodes[node], index) for node, index in uses]
    rates = [spec.lr_mult if spec.HasField("lr_mult") else None for spec in specs]
    adopted = next((rate for rate in rates if rate is not None), 1.0)
    filled = [adopted if rate is None else rate for rate in rates]
    top = max(filled, key=abs)
    if any(rate != filled[0] for rate in filled):
        _mixed(net, uses, filled, report)
    node, index = uses[0]
    learned = net.nodes[node].learned[index]
    return Param(
        specs[0].name,
        tuple(
            Use(n, i, rate, rate / top if top else 1.0)
            for (n, i), rate in zip(uses, filled, strict=True)
        ),
        learned.shape,
        learned.filler,
        learned.role,
        top,
        _decay(net, uses, specs, report),
        learned.statistic,
    )


def _decay(net: Net, uses: list[tuple[int, int]], specs: list[ParamSpec], report: Report) -> float:
    given = [
        (use, spec.decay_mult)
        for use, spec in zip(uses, specs, strict=True)
        if spec.HasField("decay_mult")
    ]
    if not given:
        return 1.0
    (node, index), decay = given[0]
    for (other, at), value in given[1:]:
        if value != decay:
            first = net.span((*net.nodes[node].path, "param", index, "decay_mult"))
            span = net.span((*net.nodes[other].path, "param", at, "decay_mult"))
            report.add(
                SharedDecay(
                    f"param `{specs[0].name}` is shared with different decay_mult: "
                    f"{decay:g} in `{net.nodes[node].name}`, "
                    f"{value:g} in `{net.nodes[other].name}`",
                    span,
                    label=f"{value:g} here",
                    labels=(Label(first, f"{decay:g} here"),) if first else (),
                    help="a param decays once: leave decay_mult out here, or set the same",
                )
            )
    return decay


def _mixed(net: Net, uses: list[tuple[int, int]], rates: list[float], report: Report) -> None:
    (node, index), *_ = uses
    different = next(k for k, rate in enumerate(rates) if rate != rates[0])
    other, at = uses[different]
    first = net.span((*net.nodes[node].path, "param", index, "lr_mult"))
    report.add(
        MixedRates(
            f"param `{_spec(net.nodes[node], index).name}` is shared with different lr_mult: "
            f"{rates[0]:g} in `{net.nodes[node].name}`, "
            f"{rates[different]:g} in `{net.nodes[other].name}`",
            net.span((*net.nodes[other].path, "param", at, "lr_mult")),
            label=f"{rates[different]:g} here",
            labels=(Label(first, f"{rates[0]:g} here"),) if first else (),
            notes=("Caffe refuses such a net; netdef weighs each use's gradient by its lr_mult",),
            help="set the same lr_mult in both" if net.strict else "",
            severity=Severity.ERROR if net.strict else Severity.NOTE,
        )
    )


def _check_count(net: Net, node: Node, report: Report) -> None:
    most = len(node.learned)
    written = len(node.message.param)
    if written > most and node.layer is not None and _known(net, node):
        span = net.span((*node.path, "param", most))
        report.add(
            TooManyParams(
                f"layer `{node.name}` has {written} param block{'s' * (written != 1)}, "
                f"{node.type} has "
                + (f"{most} param{'s' * (most != 1)} here" if most else "no params"),
                span,
                labels=in_layer(net, node, span),
                help="remove the param blocks that are too many",
            )
        )


def _known(net: Net, node: Node) -> bool:
    return net.bottom_shapes(node) is not None and net.top_shapes(node) is not None


def _check_fit(net: Net, owner: tuple[int, int], use: tuple[int, int], report: Report) -> None:
    first, second = net.nodes[owner[0]], net.nodes[use[0]]
    owned, wanted = first.learned[owner[1]].shape, second.learned[use[1]].shape
    spec = _spec(second, use[1])
    permissive = spec.share_mode == ParamSpec.PERMISSIVE
    if owned == wanted or (permissive and prod(owned) == prod(wanted)):
        return
    span = net.span((*second.path, "param", use[1], "name"))
    at = net.span((*first.path, "param", owner[1], "name"))
    same_count = prod(owned) == prod(wanted)
    report.add(
        SharedShape(
            f"`{second.name}` cannot share param `{spec.name}`: the shapes differ",
            span,
            label=f"needs {show_shape(wanted)} here{_origin(net, second)}",
            labels=(
                Label(at, f"owned by `{first.name}` as {show_shape(owned)}{_origin(net, first)}"),
            )
            if at
            else (),
            notes=_sizes(net, second, first),
            help="the counts agree: write share_mode: PERMISSIVE in this param"
            if same_count
            else "give the params different names, or the layers bottoms and settings that fit",
        )
    )


def _sizes(net: Net, *nodes: Node) -> tuple[str, ...]:
    """How the first bottoms of layers came by their sizes."""
    bottoms = (node.bottoms[0] for node in nodes if node.bottoms)
    return tell_sizes(net, tuple(b for b in bottoms if b is not None))


def _origin(net: Net, node: Node) -> str:
    """Which bottom the shape comes from."""
    bottom = node.bottoms[0] if node.bottoms else None
    if bottom is None:
        return ""
    return f" (bottom {net.blobs[bottom].name} is {show_shape(net.blobs[bottom].shape)})"
