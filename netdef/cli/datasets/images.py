"""`netdef dataset images`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.datasets.shared import making, making_options, print_made, read_size


@click.command(cls=Command, short_help="Make a set of a folder or a list of images.")
@click.argument("source")
@click.argument("out")
@click.option("--resize", metavar="SIZE", help="Resize to 256 by 256, or to 240x320.")
@click.option(
    "--short-side",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Resize so that the shorter side is N.",
)
@click.option("--gray", is_flag=True, help="One channel.")
@click.option(
    "--encode",
    type=click.Choice(["keep", "png", "jpg", "raw"]),
    default="keep",
    show_default=True,
    help="How records hold images: as the files are, PNG where they are changed; or pixels.",
)
@click.option(
    "--quality", type=click.IntRange(1, 100), default=95, show_default=True, help="Of JPEG."
)
@click.option("--root", default="", metavar="FOLDER", help="Put in front of the paths of a list.")
@click.option("--val", metavar="OUT", help="A second set of images that the first does not get.")
@click.option(
    "--val-part",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="Share of each class that goes there.",
)
@click.option(
    "--skip-bad",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Leave out up to N broken images.",
)
@click.option("--no-check", is_flag=True, help="Do not decode files that are kept as they are.")
@making_options
def images(
    source: str,
    out: str,
    resize: str | None,
    short_side: int | None,
    gray: bool,  # noqa: FBT001  click's signature
    encode: str,
    quality: int,
    root: str,
    val: str | None,
    val_part: float,
    skip_bad: int,
    no_check: bool,  # noqa: FBT001
    backend: str | None,
    shuffle: bool,  # noqa: FBT001
    seed: int,
    replace: bool,  # noqa: FBT001
) -> None:
    """Make a set of a folder or a list of images.

    SOURCE is a folder with a folder for each class, or a text file with a path and a label on
    each line. OUT is the folder of a database, or an .h5 file. The names of the classes go to
    OUT.labels.txt.

      netdef dataset images pets/ train_lmdb --resize 64 --shuffle --val val_lmdb
      netdef dataset images list.txt train.h5 --resize 28 --gray

    A run that is interrupted goes on where it was when the same command is given again.
    """
    from netdef.api.datasets import dataset_images
    from netdef.data.recipes import ImageRecipe

    if resize is not None and short_side is not None:
        raise click.UsageError("--resize and --short-side do not go together")
    if root and not root.endswith("/"):
        root += "/"
    recipe = ImageRecipe(
        root, read_size(resize), short_side or 0, gray, encode, quality, not no_check
    )
    with making(out) as show:
        made = dataset_images(
            source,
            out,
            recipe=recipe,
            backend=backend,
            val=val,
            val_part=val_part,
            shuffle=shuffle,
            seed=seed,
            replace=replace,
            skip_bad=skip_bad,
            progress=show,
        )
    print_made(made)
