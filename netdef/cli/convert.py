"""`netdef convert`."""

from __future__ import annotations

import click

from netdef.cli.command import Command


@click.command(cls=Command, short_help="Write weights or a solver state in another format.")
@click.argument("source")
@click.argument("target")
@click.option("--net", metavar="MODEL", help="Net that tells which layers share blobs.")
def convert(source: str, target: str, net: str | None) -> None:
    """Write weights or a solver state in another format.

    The new name's ending chooses it: .caffemodel, .caffemodel.h5, .npz or .safetensors for
    weights, .solverstate or .solverstate.h5 for a state. Blobs in archives are called
    `layer/number`; of other tools' archives `layer.weight` and `layer.bias` are read as well.

      netdef convert lenet.caffemodel lenet.safetensors
      netdef convert torch_weights.npz lenet.caffemodel
    """
    from netdef.api.conversion import convert as write
    from netdef.view import words

    done = write(source, target, net=net)
    count = words.plural(done.arrays, "array")
    click.echo(f"{done.path}: {done.kind}, {count}, {words.size(done.bytes)}")
