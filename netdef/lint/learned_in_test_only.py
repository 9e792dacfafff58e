"""Layers with weights that only the TEST net has."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.graph import Net, State
from netdef.graph.filter_state import keeps
from netdef.graph.problems import in_layer, place
from netdef.layers.base import Phase


class LearnedInTestOnly(Problem):
    """A layer with learned params is in the TEST net only, so that nothing ever trains it.

    A solver copies weights from the training net by layer name. A layer that is not there keeps
    the values of its fillers in every test.

    Example:
        layer {
          name: "scale1" type: "Scale" bottom: "conv1" top: "conv1" include { phase: TEST }
        }
    Write it without the rule, or give it the name of the layer in training whose weights it is
    to have.
    """

    code = "N712"
    default_severity = Severity.WARNING


def learned_in_test_only(net: Net) -> Iterator[Problem]:
    """Find layers of a TEST net that learn and are not in the TRAIN net of the same file."""
    if net.phase is not Phase.TEST:
        return
    train = State(Phase.TRAIN, net.state.level, net.state.stages)
    kept = [layer for layer in net.message.layer if keeps(layer, train)]
    if not any(layer.type.endswith("Loss") for layer in kept):
        return  # nothing is trained from this file
    names = {layer.name for layer in kept}
    shared = {param.name for layer in kept for param in layer.param if param.name}
    for node in net.nodes:
        if node.name in names or not node.learned:
            continue
        if any(param.name in shared for param in node.message.param):
            continue
        rule = "include[0]" if node.message.include else "exclude[0]"
        span = place(net, node, rule)
        yield LearnedInTestOnly(
            f"`{node.name}` has learned params and is in the TEST net only: nothing trains it",
            span,
            label="keeps it out of training",
            labels=in_layer(net, node, span),
            help="leave the rule out, or name the layer as in training",
        )
