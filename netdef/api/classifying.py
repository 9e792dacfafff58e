"""Classes of images by a trained net."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdef.api.loading import StrPath, read
from netdef.data.errors import DataError
from netdef.diag import NetdefError, Report

if TYPE_CHECKING:
    from netdef.io import Preprocess
    from netdef.run.net import Net
    from netdef.schema.document import Document

_BATCH = 16  # images at a time


@dataclass(frozen=True, slots=True)
class Classified:
    """What a net says of an image.

    Attributes:
        image: its path.
        classes: the best ones and their scores, the best first.
    """

    image: str
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Preparation:
    """How images are brought to what a net takes; None for what the net's own data layer says.

    Attributes:
        mean: one number, one for each channel, or the path of a mean image.
        scale: factor, after the mean.
        resize_to: height and width before the centre is cropped.
        rgb: the net was trained on red, green, blue.
    """

    mean: float | tuple[float, ...] | StrPath | None = None
    scale: float | None = None
    resize_to: tuple[int, int] | None = None
    rgb: bool = False


def classify(
    model: StrPath,
    weights: StrPath,
    images: Sequence[StrPath],
    *,
    prepare: Preparation | None = None,
    labels: Sequence[str] = (),
    top: int = 5,
    blob: str | None = None,
    threads: int | None = None,
) -> list[Classified]:
    """The classes that a net gives images.

    Args:
        model: prototxt for deploying; one for training is brought to that, and its TEST data
            layer says the mean, the scale and the crop.
        weights: to copy by layer name.
        images: paths.
        prepare: in place of what the model says.
        labels: names of the classes.
        top: how many classes of each image.
        blob: that holds the scores; None for the output that comes of a Softmax, or the only one.
        threads: as for `netdef.load`.

    Raises:
        NetdefError: a file has mistakes, an image is broken, or it is not clear which blob has
            the scores.
    """
    from netdef import io

    prepare = prepare or Preparation()
    net, found = _open(model, prepare, threads)
    with net:
        net.copy_from(weights)
        data = _input(net)
        scores = _scores(net, blob)
        try:
            preprocess = _preprocess(net.blobs[data].shape, found)
        except ValueError as error:
            raise NetdefError(DataError(f"images cannot be prepared: {error}").problem()) from error
        said: list[Classified] = []
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            given: dict[str, Any] = {data: preprocess(*batch)}
            net.forward((), **given)
            for image, row in zip(batch, net.blobs[scores].data, strict=True):
                said.append(Classified(os.fspath(image), tuple(io.top_k(row.ravel(), top, labels))))
    return said


def _open(model: StrPath, prepare: Preparation, threads: int | None) -> tuple[Net, Preparation]:
    """The net for deploying, and how its images are prepared."""
    from netdef.graph import State
    from netdef.layers.base import Phase
    from netdef.run.net import Net

    document = read(model)
    layer = _data_layer(document)
    if layer is not None:
        from netdef.api.deploying import deploy
        from netdef.schema.document import net_from_text

        prepare = _as_trained(layer, prepare, Path(model).parent)
        report = Report()
        document = net_from_text(deploy(model), os.fspath(model), report)
        report.raise_if_errors()
    return Net(document, State(Phase.TEST), threads=threads, processes=None), prepare


def _data_layer(document: Document) -> Any:
    """The layer of the TEST phase that reads images; None where there is none."""
    from netdef.api.loading import make_state
    from netdef.graph.filter_state import keeps

    state = make_state("test")
    layers: Any = document.message.layer  # type: ignore[union-attr]  # a net, not a solver
    kinds = ("Data", "ImageData")
    return next((one for one in layers if one.type in kinds and keeps(one, state)), None)


def _as_trained(layer: Any, prepare: Preparation, folder: Path) -> Preparation:
    from netdef.data.reader import Context, find_path

    t = layer.transform_param
    mean: Any = prepare.mean
    if mean is None and t.mean_file:
        mean = find_path(t.mean_file, Context(folder=folder))
    elif mean is None and t.mean_value:
        mean = tuple(t.mean_value)
    size = prepare.resize_to
    if size is None and layer.image_data_param.new_height:
        size = (layer.image_data_param.new_height, layer.image_data_param.new_width)
    scale = t.scale if prepare.scale is None else prepare.scale
    return Preparation(mean, scale, size, prepare.rgb)


def _preprocess(shape: Sequence[int], prepare: Preparation) -> Preprocess:
    from netdef.io import Preprocess

    scale = 1.0 if prepare.scale is None else prepare.scale
    return Preprocess(
        shape, mean=prepare.mean, scale=scale, resize_to=prepare.resize_to, rgb=prepare.rgb
    )


def _input(net: Net) -> str:
    found = [name for name in net.inputs if len(net.blobs[name].shape) == 4]
    if len(found) != 1:
        said = ", ".join(f"`{name}`" for name in found) or "none"
        raise NetdefError(
            DataError(f"the net has no one input of images (N, C, H, W): {said}").problem()
        )
    return found[0]


def _scores(net: Net, blob: str | None) -> str:
    if blob is not None:
        if blob in net.blobs:
            return blob
        from netdef.diag import nearest

        near = nearest(blob, list(net.blobs), 1)
        hint = f"the nearest is `{near[0]}`" if near else ""
        raise NetdefError(DataError(f"the net has no blob `{blob}`", hint).problem())
    soft = [top for one in net.layers if one.type == "Softmax" for top in one.tops]
    found = [name for name in net.outputs if name in soft] or list(net.outputs)
    if len(found) != 1:
        said = ", ".join(f"`{name}`" for name in found)
        raise NetdefError(
            DataError(f"the net has several outputs: {said}", "name one by --blob").problem()
        )
    return found[0]
