"""Data that is not normalised."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Fix, Problem, Severity
from netdef.doctor.figures import BlobFigures, Figures
from netdef.doctor.findings import common

_LARGE = 8.0  # root mean square: bytes have 50 and more, what is normalised about 1
_FAR = 2.0  # times chance
_BYTE = 255
_TRANSFORMED = ("Data", "ImageData", "MemoryData", "WindowData")
_READS = ("InnerProduct", "Convolution", "RNN", "LSTM")


class UnscaledInput(Problem):
    """The data is so large that the net starts far from where it could learn.

    Fillers such as xavier mean inputs of about 1. Pixels from 0 to 255 make the first scores
    hundreds of times larger, and the first loss with them.

    Write, in the data layers of both phases:
        transform_param { scale: 0.00390625 }
    """

    code = "N809"
    default_severity = Severity.WARNING


def unscaled_input(figures: Figures) -> Iterator[Problem]:
    """Find large data that layers with weights read, where the loss shows it."""
    if not _shows(figures):
        return
    net = figures.net
    for blob in figures.blobs:
        node = figures.node(blob)
        if node.bottoms or blob.data.rms < _LARGE:
            continue
        top = next(t for t in node.tops if net.blobs[t].name == blob.blob)
        readers = [net.nodes[reader] for reader, _ in net.blobs[top].consumers]
        if any(r.type in _READS and r.name not in figures.copied for r in readers):
            yield _problem(figures, blob)
            return


def _shows(figures: Figures) -> bool:
    if figures.poison is not None or not figures.losses:
        return True
    chance = figures.chance
    start = figures.losses[0]
    return start > _FAR * chance.value if chance is not None else max(figures.losses) > 2 * start


def _problem(figures: Figures, blob: BlobFigures) -> Problem:
    net, node = figures.net, figures.node(blob)
    bytes_ = blob.data.most <= _BYTE and blob.data.least >= -_BYTE and blob.data.most > 1
    scale = (
        "0.00390625" if bytes_ and blob.data.most > _BYTE / 4 else common.rounded(1 / blob.data.rms)
    )
    notes = []
    if figures.chance is not None and figures.losses:
        notes.append(
            f"the first loss is {common.number(figures.losses[0])}, that of chance "
            f"{common.number(figures.chance.value)} ({figures.chance.words})"
        )
    transformed = node.type in _TRANSFORMED
    help = f"write `transform_param {{ scale: {scale} }}` in the data layers of both phases"
    if not transformed:
        help = f'put `type: "Power"` with `power_param {{ scale: {scale} }}` behind it'
    return UnscaledInput(
        f"the data in `{blob.blob}` goes from {common.number(blob.data.least)} to "
        f"{common.number(blob.data.most)}, and nothing brings it to about 1",
        net.span((*node.path, "name")),
        label=f"mean {common.number(blob.data.mean)}, spread {common.number(blob.data.std)}",
        notes=tuple(notes),
        help=help,
        fixes=_fixes(figures, blob, scale) if transformed else (),
    )


def _fixes(figures: Figures, blob: BlobFigures, scale: str) -> tuple[Fix, ...]:
    """A scale in all layers that give this blob, those of the other phase too."""
    document = figures.net.document
    found = []
    for index, layer in enumerate(document.message.layer):  # type: ignore[union-attr]
        if layer.type not in _TRANSFORMED or blob.blob not in layer.top:
            continue
        path = ("layer", index, "transform_param")
        span = document.spans.value(path)
        value = document.spans.value((*path, "scale"))
        whole = document.spans.value(path[:2])
        if value is not None:
            found.append(Fix(value, scale, safe=False))
        elif span is not None:
            found.append(common.insert(span, f"scale: {scale}"))
        elif whole is not None:
            found.append(common.insert(whole, f"transform_param {{ scale: {scale} }}"))
    return tuple(found)
