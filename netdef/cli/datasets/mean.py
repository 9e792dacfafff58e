"""`netdef dataset mean`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.datasets.shared import progress_bar


@click.command(cls=Command, short_help="Write the mean image of a set.")
@click.argument("source")
@click.argument("out")
@click.option("--root", default="", metavar="FOLDER", help="Put in front of the paths of a list.")
def mean(source: str, out: str, root: str) -> None:
    """Write the mean image of a set, and print the mean of each channel.

    OUT ends in .binaryproto, for a `mean_file`, or in .npy.

      netdef dataset mean train_lmdb mean.binaryproto
    """
    from netdef.api.datasets import dataset_mean

    if root and not root.endswith("/"):
        root += "/"
    with progress_bar(f"reading {source}") as show:
        found = dataset_mean(source, out, root=root, progress=show)
    click.echo(f"{out}: {'×'.join(map(str, found.shape))}")
    for value in found.mean(axis=(1, 2)).tolist():
        click.echo(f"  mean_value: {value:.6g}")
