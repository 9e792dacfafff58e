"""`netdef dataset info`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.datasets.shared import progress_bar

if TYPE_CHECKING:
    from netdef.data.records import Record
    from netdef.data.survey import Survey

_MOST_LABELS = 24
_SHOWN = 12  # samples in the terminal
_SIDE = 20  # cells of a sample there


@click.command(cls=Command, short_help="Show what a set holds.")
@click.argument("source")
@click.option("--root", default="", metavar="FOLDER", help="Put in front of the paths of a list.")
@click.option("--labels", metavar="FILE", help="Names of the labels, one a line.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N records.")
@click.option("--sheet", metavar="PNG", help="Write samples as one picture.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=48,
    show_default=True,
    metavar="N",
    help="How many samples.",
)
@click.option("--show", is_flag=True, help="Show samples in the terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(
    source: str,
    root: str,
    labels: str | None,
    limit: int | None,
    sheet: str | None,
    samples: int,
    show: bool,  # noqa: FBT001  click's signature
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show what a set holds: count, shapes, labels, the mean of each channel, samples.

    SOURCE is an LMDB, a LevelDB, an HDF5, .npz or .csv file, a list of such files or of images,
    or a folder of images.

      netdef dataset info train_lmdb --sheet samples.png
      netdef dataset info list.txt --root images/ --show
    """
    from netdef.api.datasets import dataset_info, label_names

    if root and not root.endswith("/"):
        root += "/"
    names = label_names(source, labels)
    wanted = samples if sheet else _SHOWN if show else 0
    with progress_bar(f"reading {source}") as bar:
        found = dataset_info(source, root=root, samples=wanted, limit=limit, progress=bar)
    if as_json:
        click.echo(json.dumps(_object(found, names), indent=2, allow_nan=False))
    else:
        _print(source, found, names)
    if show:
        _show(found.samples[:_SHOWN], names)
    if sheet:
        _write_sheet(sheet, found, names)
        click.echo(f"{sheet}: {len(found.samples)} samples", err=as_json)


def _print(source: str, found: Survey, names: tuple[str, ...]) -> None:
    from netdef.data.contact_sheet import label_text

    encoded = "" if not found.encoded else f", {found.encoded:,} of them image files"
    click.echo(f"{source}: {found.kind}, {found.records:,} records{encoded}")
    shapes = [f"{_by(shape)} ({count:,})" for shape, count in found.shapes.most_common(5)]
    more = len(found.shapes) - len(shapes)
    if len(found.shapes) == 1:
        shapes = [_by(next(iter(found.shapes)))]
    click.echo(f"  shape   {', '.join(shapes)}" + (f" and {more} more" if more > 0 else ""))
    if found.records > len(found.broken):
        click.echo(f"  values  {', '.join(found.types)}, {found.least:g} to {found.most:g}")
    channels = found.channels()
    if channels is not None and len(channels[0]) <= 4:
        for what, values in zip(("mean", "std"), channels, strict=True):
            click.echo(f"  {what:<6}  {', '.join(f'{v:.5g}' for v in values)}")
    for name, problem in found.broken[:5]:
        click.echo(click.style(f"  broken  `{name}` {problem.message}", fg="red"))
    if len(found.broken) > 5:
        click.echo(f"  broken  {len(found.broken) - 5} more: netdef dataset verify {source}")
    if not found.labels:
        return
    click.echo(f"  labels  {len(found.labels):,}")
    shown = sorted(found.labels.items())
    if len(shown) > _MOST_LABELS:
        shown = found.labels.most_common(_MOST_LABELS)
    width = max(len(label_text(label, names)) for label, _ in shown)
    most = max(count for _, count in shown)
    bar = "█" if terminal.unicode() else "#"
    for label, count in shown:
        length = max(1, round(40 * count / most))
        click.echo(f"    {label_text(label, names):>{width}}  {bar * length} {count:,}")
    if len(found.labels) > len(shown):
        click.echo(f"    … and {len(found.labels) - len(shown):,} rarer ones")


def _show(samples: list[Record], names: tuple[str, ...]) -> None:
    """Samples side by side, two pixels a cell."""
    from netdef.data.contact_sheet import label_text

    if not terminal.unicode() or not terminal.colored():
        click.echo("  samples need a terminal with colours: write them with --sheet", err=True)
        return
    columns = max(1, (terminal.columns() - 1) // (_SIDE + 2))
    for start in range(0, len(samples), columns):
        row = samples[start : start + columns]
        pictures = [_cells(record) for record in row]
        for lines in zip(*pictures, strict=True):
            click.echo("  ".join(("", *lines)), color=True)
        click.echo(
            "  ".join(("", *(f"{label_text(r.label, names)[:_SIDE]:<{_SIDE}}" for r in row)))
        )


def _cells(record: Record) -> list[str]:
    import numpy as np

    from netdef.data.contact_sheet import pixels_of

    pixels = None if record.values is None else pixels_of(record.values)
    if pixels is None:
        return [" " * _SIDE] * (_SIDE // 2)
    at = [
        np.minimum((np.arange(_SIDE) + 0.5) * n / _SIDE, n - 1).astype(int)
        for n in pixels.shape[:2]
    ]
    small = pixels[at[0]][:, at[1]].tolist()
    lines = []
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        cells = [
            "\x1b[38;2;{};{};{}m\x1b[48;2;{};{};{}m▀".format(*a, *b)
            for a, b in zip(upper, lower, strict=True)
        ]
        lines.append("".join(cells) + "\x1b[0m")
    return lines


def _write_sheet(path: str, found: Survey, names: tuple[str, ...]) -> None:
    from netdef.data.contact_sheet import contact_sheet
    from netdef.data.errors import DataError
    from netdef.diag import NetdefError

    try:
        contact_sheet(found.samples, names=names).save(path)
    except DataError as error:
        raise NetdefError(error.problem()) from error
    except (OSError, ValueError) as error:  # ValueError: an ending Pillow does not know
        problem = DataError(f"`{path}` cannot be written: {error}", "name a .png file").problem()
        raise NetdefError(problem) from error


def _object(found: Survey, names: tuple[str, ...]) -> dict[str, Any]:
    from netdef.data.contact_sheet import label_text

    channels = found.channels()
    values = found.records > len(found.broken)
    return {
        "kind": found.kind,
        "records": found.records,
        "encoded": found.encoded,
        "shapes": [{"shape": list(s), "count": n} for s, n in found.shapes.most_common()],
        "types": dict(found.types),
        "min": found.least if values else None,
        "max": found.most if values else None,
        "mean": None if channels is None else channels[0],
        "std": None if channels is None else channels[1],
        "labels": [
            {"label": label, "name": label_text(label, names), "count": count}
            for label, count in sorted(found.labels.items())
        ],
        "broken": [{"record": name, "message": p.message} for name, p in found.broken],
    }


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "single numbers"
