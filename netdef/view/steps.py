"""What will run, step by step: layouts, algorithms, fused layers, shared memory."""

from __future__ import annotations

from dataclasses import dataclass

from netdef.plan import Program, Step, Value
from netdef.view import palette, table, words
from netdef.view.cells import Line, clip_line, wrap

_COLUMNS = {
    "step": table.Column("step", right=True),
    "layer": table.Column("layer", least=12),
    "what": table.Column("what", least=12),
    "layout": table.Column("layout"),
    "forward": table.Column("forward", least=12),
    "memory": table.Column("top", right=True),
    "backward": table.Column("backward", least=8),
}
_DROP = ("memory", "what")


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a plan, or a layer that another step does.

    Attributes:
        number: of the step; None for a layer without one of its own.
        layer: its name; of a copy what is copied.
        what: type and settings.
        layout: NCHW, or CHWN with the number of shards.
        forward: how, or why there is nothing to do.
        bytes: memory that its tops take; 0 where they lie in another's.
        backward: what it computes, or why nothing.
        skipped: nothing runs forward for it.
    """

    number: int | None
    layer: str
    what: str
    layout: str
    forward: str
    bytes: int
    backward: str
    skipped: bool


def plan_rows(program: Program) -> list[StepRow]:
    """A row for each step, in the order of running forward."""
    rows = []
    number = 0
    for index, step in enumerate(program.steps):
        skipped = step.fused_into >= 0 or step.view or step.placed
        rows.append(_row(program, index, step, None if skipped else number))
        number += not skipped
    return rows


def plan(program: Program, *, width: int | None = None, color: bool = False) -> str:
    """The plan as a table, then what it takes.

    Args:
        program: as `make_plan` made it.
        width: cells of a line, at least 40; None for 80.
        color: with ANSI colours.
    """
    room = max(width or 80, 40)
    rows = plan_rows(program)
    cells = [
        {
            "step": "" if row.number is None else str(row.number),
            "layer": row.layer,
            "what": row.what,
            "layout": row.layout,
            "forward": row.forward,
            "memory": words.size(row.bytes) if row.bytes else "",
            "backward": row.backward,
            "style": "dim" if row.skipped else "",
        }
        for row in rows
    ]
    net = program.net
    lines: list[Line] = [[(f" {net.name or 'net'} ({net.state})", "title")]]
    lines += table.lines(_COLUMNS, cells, room, _DROP) if cells else []
    lines += [[(" " + text, "head")] for text in wrap(_totals(program, rows), room - 1)]
    return palette.join([clip_line(line, room) for line in lines], color=color)


def _row(program: Program, index: int, step: Step, number: int | None) -> StepRow:
    node = program.net.nodes[step.node]
    if step.layer is None:
        value = program.values[step.tops[0]]
        name, what = value.name, f"to {step.layout.value}"
    else:
        settings = step.layer.settings()
        name, what = node.name, f"{node.type} {settings}".rstrip()
    own = [program.values[top] for top in step.tops if program.values[top].memory < 0]
    shards = f" ×{program.shards}" if step.layout.value == "CHWN" and program.shards > 1 else ""
    if step.lanes:
        shards = f" c/{len(step.lanes)}"
    return StepRow(
        number,
        name,
        what,
        step.layout.value + shards,
        _forward(program, index, step),
        sum(array.nbytes for value in own for array in value.arrays),
        _backward(program, step),
        number is None,
    )


def _forward(program: Program, index: int, step: Step) -> str:
    if step.fused_into >= 0:
        host = program.net.nodes[program.steps[step.fused_into].node].name
        return f"with {host}, block by block"
    if step.view:
        return f"view of {program.values[step.bottoms[0]].name}"
    if step.placed:
        return "nothing to do: parts lie in the whole"
    if step.layer is None:
        return "copy"
    words_ = [step.layer_of(0).algorithm(program.sites[index, 0])]
    top = program.values[step.tops[0]] if step.tops else None
    if top is not None and step.bottoms and _same(program, top, step.bottoms[0]):
        words_.append("in place")
    elif top is not None and top.memory >= 0:
        words_.append(f"into part of {program.values[top.memory].name}")
    return ", ".join(word for word in words_ if word)


def _same(program: Program, top: Value, bottom: int) -> bool:
    value = program.values[bottom]
    root = bottom if value.memory < 0 else value.memory
    return top.memory == root and top.offset == value.offset


def _backward(program: Program, step: Step) -> str:
    if not step.backward:
        return "–"
    if step.view_diff:
        return "nothing to do: shared"
    node = program.net.nodes[step.node]
    to = [
        program.values[bottom].name + (" +=" if adds else "")
        for bottom, wish, adds in zip(step.bottoms, step.propagate, step.adds, strict=True)
        if wish
    ]
    learns = step.layer is not None and any(program.net.params[p].learns for p in node.params)
    return ", ".join((["params"] if learns else []) + to)


def _totals(program: Program, rows: list[StepRow]) -> str:
    taken = program.bytes
    parts = [
        words.plural(sum(row.number is not None for row in rows), "step"),
        words.plural(sum(row.skipped for row in rows), "layer") + " without a step of their own",
        words.plural(program.shards, "shard"),
        *(
            [f"one image cut by channels for {program.lanes} threads"]
            * (program.lanes > program.shards)
        ),
        f"blobs {words.size(taken['blobs'])}",
    ]
    for name, text in (
        ("gradients", "their gradients"),
        ("saved", "kept for backward"),
        ("held", "held of weights"),
        ("scratch", "scratch"),
    ):
        if taken.get(name):
            parts.append(f"{text} {words.size(taken[name])}")
    params = sum(array.nbytes for array in program.params)
    parts.append(f"params {words.size(params)}")
    return ", ".join(parts)
