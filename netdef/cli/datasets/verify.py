"""`netdef dataset verify`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.datasets.shared import progress_bar


@click.command(cls=Command, short_help="Find the broken records of a set.")
@click.argument("source")
@click.option("--root", default="", metavar="FOLDER", help="Put in front of the paths of a list.")
@click.option(
    "--classes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Labels must be whole numbers from 0 to N - 1.",
)
@click.option("--same-size", is_flag=True, help="Records must have the shape of the first.")
@click.pass_context
def verify(
    ctx: click.Context,
    source: str,
    root: str,
    classes: int | None,
    same_size: bool,  # noqa: FBT001  click's signature
) -> None:
    """Read every record of a set, and say which are broken; the exit status is 1 then.

    Images are decoded, sizes and values looked at, and the checksums of a LevelDB.

      netdef dataset verify train_lmdb --classes 10 --same-size
    """
    from netdef.api.datasets import dataset_info

    if root and not root.endswith("/"):
        root += "/"
    with progress_bar(f"reading {source}") as show:
        found = dataset_info(
            source,
            root=root,
            classes=classes,
            checked=True,
            same_size=same_size,
            progress=show,
        )
    for name, problem in found.broken:
        click.echo(f"{source}: `{name}` {problem.message}")
    count = len(found.broken)
    records = "1 record" if found.records == 1 else f"{found.records:,} records"
    click.echo(f"{source}: {records}, {f'{count:,} broken' if count else 'all good'}")
    ctx.exit(1 if count else 0)
