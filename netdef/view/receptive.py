"""How much of the input each value of a blob depends on, by the settings alone.

The receptive field grows by dilation * (kernel - 1) steps at each window, and the step by the
stride; a Deconvolution divides the step. Borders are not cut off, so that a field may be larger
than the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

from netdef.graph import Net, Node
from netdef.layers.base import Shape

_FIRST = 2  # the first spatial axis, behind batch and channels
_WINDOWS = ("Convolution", "Pooling", "Im2col", "Deconvolution")
_WHOLE = ("InnerProduct", "MVN", "SPP", "Reduction", "ArgMax")


@dataclass(frozen=True, slots=True)
class Field:
    """What a value of a blob depends on.

    Attributes:
        size: input values along each spatial axis; infinite for all of them.
        step: input values from one value's field to the next one's.
    """

    size: tuple[float, ...]
    step: tuple[Fraction, ...]


def fields(net: Net) -> list[Field | None]:
    """The field of each blob; None where it is unknown or has no spatial axes."""
    found: list[Field | None] = [None] * len(net.blobs)
    for node in net.nodes:
        field = _of(net, node, found)
        for top in node.tops:
            found[top] = field
    return found


def _of(net: Net, node: Node, found: Sequence[Field | None]) -> Field | None:
    tops = [net.blobs[top].shape for top in node.tops]
    if not node.bottoms:
        axes = len(tops[0] or ()) - _FIRST if tops else 0
        return Field((1,) * axes, (Fraction(1),) * axes) if axes > 0 else None
    known = [found[b] for b in node.bottoms if b is not None and found[b] is not None]
    first = next((f for f in known if f is not None), None)
    if first is None or node.layer is None or None in node.bottoms:
        return None
    shape = next(net.blobs[b].shape for b in node.bottoms if b is not None and found[b] is first)
    if node.type in _WHOLE or getattr(node.layer, "global_pooling", False):
        return Field((inf,) * len(first.size), first.step)
    if node.type in _WINDOWS:
        return _through(node, first)
    if not tops or tops[0] is None or shape is None:
        return None
    if node.type == "LRN" and getattr(node.layer, "norm_region", "") == "WITHIN_CHANNEL":
        reach = getattr(node.layer, "local_size", 1)
        return Field(_grown(first, (reach,) * len(first.size)), first.step)
    return _joined(known, shape, tops[0], node.type)


def _joined(known: Sequence[Field | None], bottom: Shape, top: Shape, kind: str) -> Field | None:
    """The field of a layer that treats each place by itself; all of the image for others."""
    same = bottom[_FIRST:] == top[_FIRST:] or kind in ("Crop", "Concat", "Slice")
    several = [f for f in known if f is not None]
    axes = {len(f.size) for f in several}
    if len(axes) > 1:
        return None
    sizes = zip(*(f.size for f in several), strict=True)
    size = tuple(max(along) for along in sizes) if same else (inf,) * len(several[0].size)
    return Field(size, several[0].step)


def _through(node: Node, field: Field) -> Field:
    axes = len(field.size)
    kernel, stride = _spread(node, "kernel_size", axes), _spread(node, "stride", axes)
    dilation = _spread(node, "dilation", axes)
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    if node.type == "Deconvolution":
        reach = tuple(ceil(r / s) for r, s in zip(reach, stride, strict=True))
        step = tuple(j / s for j, s in zip(field.step, stride, strict=True))
    else:
        step = tuple(j * s for j, s in zip(field.step, stride, strict=True))
    return Field(_grown(field, reach), step)


def _grown(field: Field, reach: Sequence[int]) -> tuple[float, ...]:
    return tuple(
        size if size == inf else float(size + (r - 1) * step)
        for size, step, r in zip(field.size, field.step, reach, strict=True)
    )


def _spread(node: Node, name: str, axes: int) -> tuple[int, ...]:
    sizes: tuple[int, ...] = getattr(node.layer, name, (1,))
    return sizes if len(sizes) == axes else (sizes or (1,))[:1] * axes
