"""`netdef solver`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from netdef.cli import terminal
from netdef.cli.command import Command

if TYPE_CHECKING:
    from netdef.api.solving import Field, Story


@click.command(cls=Command, short_help="Explain a solver: its update rule, rate and fields.")
@click.argument("files", nargs=-1, required=True, metavar="[MODEL] SOLVER")
@click.option("--all", "everything", is_flag=True, help="Every field, also those left alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def solver(
    ctx: click.Context,
    files: tuple[str, ...],
    everything: bool,  # noqa: FBT001  click's signature
    as_json: bool,  # noqa: FBT001
) -> None:
    """Explain a solver: its update rule, rate and fields.

    Shows the update rule with the solver's numbers in it, the learning rate over the iterations,
    Adam's correction in the first steps, the memory that the rule needs beside the weights, and
    what each field means and whether this solver reads it.

      netdef solver solver.prototxt
      netdef solver model.prototxt solver.prototxt --all
    """
    from netdef.api.solving import solver as tell
    from netdef.cli.files import model_and_solver
    from netdef.cli.looking import finish
    from netdef.diag import Report

    model, path = model_and_solver(files, "solver")
    report = Report()
    story = tell(path, model, report=report)
    if as_json:
        click.echo(json.dumps(_object(story), indent=2, allow_nan=False))
    else:
        _show(story, everything=everything)
    finish(ctx, report)


def _show(story: Story, *, everything: bool) -> None:
    from netdef.view import palette
    from netdef.view.cells import wrap

    room = terminal.columns()
    lines: list[Any] = [[(f" {story.path}", "title"), (f": {story.type}", "")]]
    lines += [[(" " + part, "")] for part in wrap(story.summary, room - 1)]
    if not story.caffes:
        lines.append([(" of netdef's own: Caffe has no such type", "warn")])
    for head, texts in (
        ("each iteration, for each param w", (*story.gradient, *story.update)),
        ("rate, times the param's lr_mult", (*story.rate, story.warmup)),
    ):
        lines += [[], [(f" {head}", "head")]]
        lines += [[("   " + text, "")] for text in texts if text]
    lines += [[("   " + text, "conv")] for text in _plot(story, room)]
    lines += _corrections(story)
    lines += _slots(story)
    lines += _fields(story.fields, room, everything=everything)
    text = palette.join(lines, color=terminal.colored(), unicode=terminal.unicode())
    click.echo(text, nl=False, color=True)


def _plot(story: Story, room: int) -> list[str]:
    from netdef.view.curve import curve

    most = max(min(len(story.rates), room - 20), 1)
    picked = [story.rates[n * len(story.rates) // most] for n in range(most)]
    lines = curve([rate for _, rate in picked], unicode=terminal.unicode())
    edge = lines[0].index("│" if terminal.unicode() else "|") + 1
    last = f"{story.iterations:,}"
    return [*lines, " " * edge + "0" + last.rjust(max(len(picked) - 1, len(last) + 1))]


def _corrections(story: Story) -> list[Any]:
    if not story.corrections:
        return []
    cells = [(f"{t:,}", f"{factor:.3g}", f"{rate:.3g}") for t, factor, rate in story.corrections]
    widths = [max(map(len, cell)) + 2 for cell in cells]
    names = ("t", "correction", "times rate")
    lines: list[Any] = [[], [(" the first steps, in which m and v still begin at 0", "head")]]
    for row, name in enumerate(names):
        text = "".join(cell[row].rjust(wide) for cell, wide in zip(cells, widths, strict=True))
        lines.append([(f"   {name:<10}{text}", "")])
    return lines


def _slots(story: Story) -> list[Any]:
    from netdef.view import words

    count = len(story.slots)
    if story.params is None or story.bytes is None:
        size = f"{4 * count} bytes for each learned value"
    else:
        size = f"{words.size(story.bytes)} for {story.params:,} learned values"
    lines: list[Any] = [[], [(f" memory beside the weights and gradients: {size}", "head")]]
    return lines + [[(f"   {slot.name}  {slot.meaning}", "")] for slot in story.slots]


def _fields(fields: tuple[Field, ...], room: int, *, everything: bool) -> list[Any]:
    from netdef.view.cells import wrap

    shown = [f for f in fields if everything or f.given or (f.number and f.used == "yes")]
    lines: list[Any] = [[], [(" fields" + ("" if everything else " of the file"), "head")]]
    wide = max((len(f.name) for f in shown), default=0)
    left = min(max((len(_value(f)) for f in shown), default=0), 16)
    for field in shown:
        value = _value(field)
        first = f"   {field.name:<{wide}}  {value:<{left}}  "
        unread = field.given and field.used != "yes"
        style = "warn" if unread else "" if field.used == "yes" else "dim"
        meaning = field.meaning if field.used == "yes" else f"{_unused(field)} {field.meaning}"
        indent = 7 + wide + left
        if len(first) > indent:
            lines.append([(first.rstrip(), style)])
            first = " " * indent
        for part in wrap(meaning, max(room - indent - 1, 20)):
            lines.append([(first, style), (part, style or "dim")])
            first = " " * indent
    rest = len(fields) - len(shown)
    if rest:
        lines.append([(f"   and {rest} more, which the file leaves alone: --all", "head")])
    return lines


def _value(field: Field) -> str:
    return f"{field.value}{'' if field.given or not field.value else ' (default)'}"


def _unused(field: Field) -> str:
    return f"Not read{field.used.removeprefix('no')}."


def _object(story: Story) -> dict[str, Any]:
    from dataclasses import asdict

    about = asdict(story) | {"bytes": story.bytes}
    for field in about["fields"]:
        field["used"] = field["used"] == "yes"
    return {"format_version": 1, **about}
