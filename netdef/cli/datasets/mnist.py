"""`netdef dataset mnist`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.datasets.shared import making, making_options, print_made


@click.command(cls=Command, short_help="Make a set of MNIST's idx files.")
@click.argument("images")
@click.argument("labels")
@click.argument("out")
@making_options
def mnist(
    images: str,
    labels: str,
    out: str,
    backend: str | None,
    shuffle: bool,  # noqa: FBT001  click's signature
    seed: int,
    replace: bool,  # noqa: FBT001
) -> None:
    """Make a set of MNIST's idx files, and of those of sets made like it.

    Files that end in .gz are unpacked.

      netdef dataset mnist train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz train_lmdb
    """
    from netdef.api.datasets import dataset_mnist

    with making(out) as show:
        made = dataset_mnist(
            images,
            labels,
            out,
            backend=backend,
            shuffle=shuffle,
            seed=seed,
            replace=replace,
            progress=show,
        )
    print_made(made)
