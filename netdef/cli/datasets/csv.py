"""`netdef dataset csv`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.datasets.shared import making, making_options, print_made


@click.command(cls=Command, short_help="Make a set of a .csv file.")
@click.argument("file")
@click.argument("out")
@click.option(
    "--label",
    default="-1",
    show_default="the last",
    metavar="COLUMN",
    help="Name of the label's column, or its number from 0; it may hold words.",
)
@click.option("--no-label", is_flag=True, help="All columns are values.")
@click.option("--shape", metavar="C,H,W", help="Of a record. [default: columns,1,1]")
@making_options
def csv(
    file: str,
    out: str,
    label: str,
    no_label: bool,  # noqa: FBT001  click's signature
    shape: str | None,
    backend: str | None,
    shuffle: bool,  # noqa: FBT001
    seed: int,
    replace: bool,  # noqa: FBT001
) -> None:
    """Make a set of a .csv file: one column the label, the others the values.

    The first line may name the columns. Labels that are words become numbers, in alphabetical
    order; the words go to OUT.labels.txt.

      netdef dataset csv iris.csv iris.h5 --label species
    """
    from netdef.api.datasets import dataset_csv

    number = label.removeprefix("-").isdecimal()
    with making(out) as show:
        made = dataset_csv(
            file,
            out,
            label=None if no_label else int(label) if number else label,
            shape=_shape(shape),
            backend=backend,
            shuffle=shuffle,
            seed=seed,
            replace=replace,
            progress=show,
        )
    print_made(made)


def _shape(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    parts = text.replace("x", ",").replace("×", ",").split(",")
    if len(parts) != 3 or not all(p.strip().isdecimal() and int(p) > 0 for p in parts):
        raise click.UsageError(f"a shape is 1,28,28, not `{text}`")
    c, h, w = map(int, parts)
    return c, h, w
