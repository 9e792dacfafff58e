"""`netdef layers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netdef.cli.command import Command

if TYPE_CHECKING:
    from netdef.api.kinds import LayerType


@click.command(cls=Command, short_help="List the types of layers, or describe one.")
@click.argument("type_name", metavar="TYPE", required=False)
def layers(type_name: str | None) -> None:
    """List the types of layers, or describe one.

    netdef layers
    netdef layers Pooling
    """
    from netdef.api.kinds import find_layer_type, layer_types

    if type_name is None:
        types = layer_types()
        width = max(len(one.name) for one in types)
        for one in types:
            click.echo(f"{one.name:<{width}}  {one.line}")
        return
    found = find_layer_type(type_name)
    if found is None:
        from netdef.diag import nearest

        near = nearest(type_name, [one.name for one in layer_types()], 3)
        hint = "did you mean " + " or ".join(near) + "?" if near else "`netdef layers` lists them"
        raise click.UsageError(f"there is no layer type `{type_name}`: {hint}")
    click.echo("\n".join(_lines(found)))


def _lines(found: LayerType) -> list[str]:
    lines = [found.name, "", found.text.rstrip(), "", "In a prototxt:"]
    lines += ["    " + line for line in found.prototxt.split("\n")]
    width = max((len(row.name) for row in found.settings), default=0)
    message = ""
    for row in found.settings:
        if row.message != message:
            message = row.message
            lines += ["", f"{message}:"]
        default = f" = {row.default}" if row.default else ""
        many = "repeated " if row.repeated else ""
        lines.append(f"    {row.name:<{width}}  {many}{row.type}{default}")
    return lines
