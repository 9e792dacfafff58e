"""The pass that keeps the layers of a phase, level and stage."""

from __future__ import annotations

from dataclasses import replace

from netdef import layers
from netdef.diag import Label, Report
from netdef.graph.net import AUTOMATIC, Net, Node, Path, State
from netdef.graph.problems import BadStateRule, SameName
from netdef.schema import TRAIN, LayerParameter, NetStateRule


def filter_state(net: Net, report: Report) -> Net:
    """Make a node of every layer that the state keeps.

    A layer with include rules stays where any of them is met, one with exclude rules goes where
    any is met. As in Caffe, one with both is refused.
    """
    nodes: list[Node] = []
    named: dict[str, Path] = {}
    for index, message in enumerate(net.message.layer):
        path: Path = ("layer", index)
        if message.include and message.exclude:
            report.add(
                BadStateRule(
                    f"layer `{message.name}` has both include and exclude rules",
                    net.span((*path, "exclude", 0)),
                    labels=_label(net, (*path, "include", 0), "include rule here"),
                    help="keep the one kind that says what is meant",
                )
            )
        if not keeps(message, net.state):
            continue
        if message.name and message.name in named:
            report.add(
                SameName(
                    f"two layers are named `{message.name}`",
                    net.span((*path, "name")),
                    labels=_label(net, (*named[message.name], "name"), "first here"),
                    help="give each layer a name of its own: weights are copied by name",
                )
            )
        named.setdefault(message.name, path)
        nodes.append(Node(_with_top(message, len(nodes)), path))
    return replace(net, nodes=tuple(nodes))


def _with_top(message: LayerParameter, position: int) -> LayerParameter:
    """A loss without a top gets one of its own, as in Caffe, which nobody can name."""
    if message.top or not message.bottom:
        return message
    found = layers.find(message.type)
    if found is None or not found.loss:
        return message
    whole = LayerParameter()
    whole.CopyFrom(message)
    whole.top.append(f"{AUTOMATIC} {position}")
    return whole


def keeps(message: LayerParameter, state: State) -> bool:
    """Whether a layer is part of the net in that state."""
    if message.include:
        return any(meets(rule, state) for rule in message.include)
    return not any(meets(rule, state) for rule in message.exclude)


def meets(rule: NetStateRule, state: State) -> bool:
    """Whether a state meets every condition that a rule sets."""
    return (
        (not rule.HasField("phase") or (rule.phase == TRAIN) == (state.phase.value == "TRAIN"))
        and (not rule.HasField("min_level") or state.level >= rule.min_level)
        and (not rule.HasField("max_level") or state.level <= rule.max_level)
        and all(stage in state.stages for stage in rule.stage)
        and not any(stage in state.stages for stage in rule.not_stage)
    )


def _label(net: Net, path: Path, text: str) -> tuple[Label, ...]:
    span = net.span(path)
    return (Label(span, text),) if span else ()
