"""`netdef dataset cifar`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.datasets.shared import making, making_options, print_made


@click.command(cls=Command, short_help="Make a set of CIFAR's binary files.")
@click.argument("files", nargs=-1, required=True)
@click.argument("out")
@click.option("--coarse", is_flag=True, help="The 20 classes of CIFAR-100, not its 100.")
@making_options
def cifar(
    files: tuple[str, ...],
    out: str,
    coarse: bool,  # noqa: FBT001  click's signature
    backend: str | None,
    shuffle: bool,  # noqa: FBT001
    seed: int,
    replace: bool,  # noqa: FBT001
) -> None:
    """Make a set of CIFAR-10's or CIFAR-100's binary files.

    Channels stay red, green, blue, as in the files and in Caffe's own example.

      netdef dataset cifar data_batch_?.bin train_lmdb --shuffle
    """
    from netdef.api.datasets import dataset_cifar

    with making(out) as show:
        made = dataset_cifar(
            files,
            out,
            coarse=coarse,
            backend=backend,
            shuffle=shuffle,
            seed=seed,
            replace=replace,
            progress=show,
        )
    print_made(made)
