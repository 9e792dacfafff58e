"""`netdef classify`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from netdef.cli.command import Command

if TYPE_CHECKING:
    from netdef.api.classifying import Classified


@click.command(cls=Command, short_help="Tell the classes of images.")
@click.argument("model")
@click.argument("weights")
@click.argument("images", nargs=-1, required=True)
@click.option("--labels", metavar="FILE", help="Names of the classes, one a line.")
@click.option(
    "--top-k",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="K",
    help="Classes of each image.",
)
@click.option("--mean", metavar="FILE|V[,V,V]", help="To take off: .binaryproto, .npy, or numbers.")
@click.option("--scale", type=float, metavar="X", help="Factor on the values, after the mean.")
@click.option("--resize", metavar="SIZE", help="Resize to 256 or 240x320, then crop the centre.")
@click.option("--rgb", is_flag=True, help="The net was trained on red, green, blue.")
@click.option("--blob", metavar="NAME", help="That holds the scores. [default: the output]")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads. [default: NETDEF_THREADS, else the cores this process may use]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def classify(
    model: str,
    weights: str,
    images: tuple[str, ...],
    labels: str | None,
    top_k: int,
    mean: str | None,
    scale: float | None,
    resize: str | None,
    rgb: bool,  # noqa: FBT001  click's signature
    blob: str | None,
    threads: int | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Tell the classes of images.

    MODEL is a net for deploying, or one for training: then its TEST data layer says the mean,
    the scale and the crop.

      netdef classify train_val.prototxt pets_iter_500.caffemodel cat.jpg --labels labels.txt
      netdef classify deploy.prototxt net.caffemodel *.jpg --mean 104,117,123
    """
    from netdef.api.classifying import Preparation
    from netdef.api.classifying import classify as look
    from netdef.api.datasets import label_names
    from netdef.cli.datasets.shared import read_size

    names = label_names(model, labels) if labels is not None else ()
    prepare = Preparation(_mean(mean), scale, read_size(resize), rgb)
    found = look(
        model,
        weights,
        images,
        prepare=prepare,
        labels=names,
        top=top_k,
        blob=blob,
        threads=threads,
    )
    if as_json:
        click.echo(json.dumps([_object(one) for one in found], indent=2))
        return
    for one in found:
        click.echo(one.image)
        for name, score in one.classes:
            click.echo(f"  {score:8.4f}  {name}")


def _object(one: Classified) -> dict[str, object]:
    return {
        "image": one.image,
        "classes": [{"class": name, "score": score} for name, score in one.classes],
    }


def _mean(text: str | None) -> str | tuple[float, ...] | None:
    """Numbers where they are numbers, else a path."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return text
