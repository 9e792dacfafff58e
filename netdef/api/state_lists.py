"""The states of a net."""

from __future__ import annotations

from netdef.api.loading import StrPath, make_state
from netdef.diag import Report
from netdef.graph import State
from netdef.schema import NetParameter
from netdef.schema.document import read_net


def states(
    path: StrPath,
    one: str | State | None = None,
    other: str | State | None = None,
    *,
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    report: Report | None = None,
) -> str:
    """Which layers each phase, level and stage of a net has, and what two of them differ in.

    Args:
        path: the prototxt.
        one: a state as `read_state` takes it; None for all that the rules tell apart.
        other: the state to compare it with; None for the other phase.
        width: columns to fit into; None for 80.
        color: use ANSI colours.
        unicode: False for plain ASCII.
        report: takes the problems of the text.

    Raises:
        NetdefError: the file cannot be read as a net.
        ValueError: a state is written wrongly.
    """
    from netdef.view.states import states as table

    found = Report()
    document = read_net(path, found)
    if document is None or not document.message.layer:  # type: ignore[union-attr]
        found.raise_if_errors()
    assert document is not None
    assert isinstance(document.message, NetParameter)
    for problem in found:
        (Report() if report is None else report).add(problem)
    between = None
    if one is not None:
        first = read_state(one) if isinstance(one, str) else one
        phase = "train" if first.phase.value == "TEST" else "test"
        second = make_state(phase, first.level, first.stages) if other is None else other
        between = (first, read_state(second) if isinstance(second, str) else second)
    spans = (document.spans.name(("layer", i)) for i in range(len(document.message.layer)))
    lines = [None if span is None else span.begin.line for span in spans]
    return table(document.message, lines, between, width=width, color=color, unicode=unicode)


def read_state(text: str) -> State:
    """A state from words: `train`, `test,level=2`, `test,stage=deploy,stage=small`.

    Raises:
        ValueError: it is written in another way.
    """
    phase, *rest = text.split(",")
    level, stages = 0, []
    for part in rest:
        key, _, value = part.strip().partition("=")
        if key == "level" and value.removeprefix("-").isdecimal():
            level = int(value)
        elif key == "stage" and value:
            stages.append(value)
        else:
            raise ValueError(f"write a state as `test,level=1,stage=deploy`, not `{text}`")
    return make_state(phase.strip(), level, stages)
