"""The states that a net's rules tell apart, and which layers each has."""

from __future__ import annotations

from dataclasses import dataclass

from netdef.graph.filter_state import keeps
from netdef.graph.net import State
from netdef.layers.base import Phase
from netdef.schema import LayerParameter, NetParameter


@dataclass(frozen=True, slots=True)
class StateLayers:
    """States that have the same layers.

    Attributes:
        states: the simplest first.
        layers: their layers, as indices into the net's `layer`.
    """

    states: tuple[State, ...]
    layers: tuple[int, ...]


def layers_of(net: NetParameter, state: State) -> tuple[int, ...]:
    """Indices of the layers that a state has."""
    return tuple(index for index, layer in enumerate(net.layer) if keeps(layer, state))


def list_states(net: NetParameter) -> tuple[StateLayers, ...]:
    """The states that the rules tell apart, each with the layers it has.

    Both phases at level 0 without stages; each stage that a rule names; each level at which a
    rule begins or ceases to be met; and for each rule the smallest state that meets it. States
    with the same layers are one.
    """
    stages: dict[str, None] = {}
    levels: set[int] = set()
    meeting: dict[tuple[int, frozenset[str]], None] = {}
    for layer in net.layer:
        for rule in (*layer.include, *layer.exclude):
            stages |= dict.fromkeys((*rule.stage, *rule.not_stage))
            levels |= {rule.min_level, rule.min_level - 1} if rule.HasField("min_level") else set()
            levels |= {rule.max_level, rule.max_level + 1} if rule.HasField("max_level") else set()
            lowest = max(rule.min_level, 0) if rule.HasField("min_level") else 0
            level = min(lowest, rule.max_level) if rule.HasField("max_level") else lowest
            meeting[level, frozenset(rule.stage)] = None
    groups: dict[tuple[int, ...], list[State]] = {}
    for phase in Phase:
        states = [State(phase)]
        states += [State(phase, level) for level in sorted(levels - {0})]
        states += [State(phase, 0, frozenset({stage})) for stage in stages]
        states += [State(phase, level, names) for level, names in meeting]
        for state in dict.fromkeys(states):
            groups.setdefault(layers_of(net, state), []).append(state)
    return tuple(StateLayers(tuple(states), layers) for layers, states in groups.items())


def rules(layer: LayerParameter) -> str:
    """A layer's rules in a prototxt's words: `include TRAIN, stage x`."""
    words = []
    for kind, found in (("include", layer.include), ("exclude", layer.exclude)):
        for rule in found:
            parts = [Phase.TRAIN.value if rule.phase == 0 else Phase.TEST.value]
            parts = parts if rule.HasField("phase") else []
            parts += [f"level ≥ {rule.min_level}"] if rule.HasField("min_level") else []
            parts += [f"level ≤ {rule.max_level}"] if rule.HasField("max_level") else []
            parts += [f"stage {stage}" for stage in rule.stage]
            parts += [f"not stage {stage}" for stage in rule.not_stage]
            words.append(f"{kind} {', '.join(parts) or 'always'}")
    return "; ".join(words)
