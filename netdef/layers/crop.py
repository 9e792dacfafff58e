"""Crop: cut a blob to the size of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import axis_in, axis_of, show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Crop")
@dataclass(frozen=True, slots=True)
class Crop(base.Layer[None]):
    """Cut a part out of the first bottom, as large as the second; the rest is thrown away.

    Formula:
        y[..., p] = x[..., offset + p] for the axes from `axis` on
    Bottoms:
        x: any shape with the axis
        reference: its sizes from `axis` on are those of the top; its values are never looked at
    Tops:
        y: x's shape before `axis`, the reference's from there on
    Cost:
        a copy
    Source:
        caffe/src/caffe/layers/crop_layer.cpp

    The reference's gradient is zero, as in Caffe.

    Attributes:
        axis: the first axis that is cut; negative counts from the end.
        offset: where the cut begins: none for 0, one for all cut axes, or one for each.

    Example:
        >>> Crop(offset=(19,)).shapes(((1, 21, 568, 568), (1, 3, 500, 500)))
        ((1, 21, 500, 500),)
    """

    axis: int = 2
    offset: tuple[int, ...] = ()

    bottom_count = (2, 2)
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `crop_param`."""
        del phase
        return cls(message.crop_param.axis, tuple(message.crop_param.offset))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The reference's sizes in the axes that are cut.

        Raises:
            BottomError: the reference has too few axes, or reaches beyond the first bottom.
            FieldError: there is no such axis, not one offset for each, or one goes too far.
        """
        x, reference = bottoms
        axis = axis_of(self.axis, x, "crop_param.axis")
        cut = len(x) - axis
        if len(self.offset) > 1 and len(self.offset) != cut:
            raise FieldError(
                f"crop_param.offset[{min(len(self.offset) - 1, cut)}]",
                f"is one of {len(self.offset)}, but {cut} axes are cut of the bottom ({show(x)}) "
                f"from axis {axis} on",
                f"write one offset for all, or {cut}",
            )
        if len(reference) < len(x):
            raise BottomError(
                1,
                f"is {show(reference)}, too few axes to give the sizes of the first ({show(x)})",
                f"it needs {len(x)} axes, of which those from {axis} on count",
            )
        for i, offset in enumerate(self._offsets(cut), axis):
            if offset + reference[i] <= x[i]:
                continue
            if reference[i] > x[i]:
                raise BottomError(
                    1,
                    f"is {show(reference)}, larger in axis {i} than the first ({show(x)})",
                    "cut the larger one: swap the bottoms, or raise `axis`",
                )
            place = f"[{i - axis}]" if len(self.offset) > 1 else "[0]"
            raise FieldError(
                f"crop_param.offset{place}",
                f"is {offset}, but {reference[i]} of {x[i]} values are cut out of axis {i}",
                f"it can be at most {x[i] - reference[i]}",
            )
        return ((*x[:axis], *reference[axis : len(x)]),)

    def settings(self) -> str:
        """The axis, where it is not the first spatial one, and the offsets."""
        words = [f"axis {self.axis}"] if self.axis != 2 else []
        words += ["at " + " ".join(map(str, self.offset))] if any(self.offset) else []
        return " ".join(words)

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """CHWN, unless the batch is cut."""
        x, reference = bottoms
        axis = axis_of(self.axis, x, "crop_param.axis")
        # each shard has its own part of the reference, whose batch can be another
        return base.CHWN if axis and reference[0] == x[0] else base.NCHW

    def forward(self, run: base.Forward[None]) -> None:
        """Copy the part."""
        np.copyto(run.top(0), run.bottom(0)[self._part(run.site)])

    def backward(self, run: base.Backward[None]) -> None:
        """Put the gradient back where the part was; around it there is none."""
        dx, dreference = run.bottom_diff(0), run.bottom_diff(1)
        if dx is not None:
            part = dx[self._part(run.site)]
            if run.adds(0):
                np.add(part, run.top_diff(0), out=part)
            else:
                dx.fill(0)
                np.copyto(part, run.top_diff(0))
        if dreference is not None and not run.adds(1):
            dreference.fill(0)

    def _offsets(self, cut: int) -> tuple[int, ...]:
        """One for each axis that is cut."""
        offset = self.offset or (0,)
        return offset if len(offset) == cut else offset * cut

    def _part(self, site: base.Site) -> tuple[slice, ...]:
        """Where the top lies in the bottom."""
        count = len(site.bottoms[0])
        axis = self.axis % count
        first, offsets = axis_in(site.layout, axis), self._offsets(count - axis)
        cuts = zip(offsets, site.tops[0][first:], strict=False)
        return (slice(None),) * first + tuple(slice(o, o + size) for o, size in cuts)
