"""Filter: the examples that a selector picks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Filter")
@dataclass(frozen=True, slots=True)
class Filter(base.Layer[None]):
    """Keep the examples of each bottom for which the last bottom is not 0.

    Formula:
        y_i = x_i[selector != 0]
    Bottoms:
        x0, x1, …: at least one, of any shapes with the selector's batch
        selector: a value for each example: N, N×1×1
    Tops:
        y0, y1, …: as many as there are x, each with as many examples as are picked
    Cost:
        a copy of what is picked; where another number is picked than in the pass before, the
        layers after it get their memory anew
    Source:
        caffe/src/caffe/layers/filter_layer.cpp

    How many examples are picked shows when the net runs. Until then, and in drawings, the tops
    have room for all, as in Caffe. A net with such a layer is not cut into shards.

    Differences from Caffe:
        A NaN in the selector stops the run; Caffe picks that example.

    Attributes:
        tops: how many bottoms are filtered.
        no_gradient: the selector, which comes last.

    Example:
        >>> Filter(2).shapes(((4, 3, 5), (4,), (4, 1)))
        ((4, 3, 5), (4,))
    """

    tops: int = 1
    no_gradient: tuple[int, ...] = (1,)  # type: ignore[misc]  # the last: it depends on how many

    bottom_count = (2, None)
    top_count = (1, None)
    reads_bottoms = False
    reads_tops = False
    resizes = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Count bottoms and tops.

        Raises:
            FieldError: there is not one top for each bottom but the last.
        """
        del phase
        bottoms, tops = len(message.bottom), len(message.top)
        if bottoms > 1 and tops != bottoms - 1:
            raise FieldError(
                f"top[{max(0, min(tops, bottoms) - 1)}]",
                f"is one of {tops}, for {bottoms - 1} bottoms to filter",
                "write a top for each bottom but the last, which is the selector",
            )
        return cls(tops, (tops,))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Those of the bottoms without the selector: room for all.

        Raises:
            BottomError: the selector is not one value for each example.
        """
        *filtered, selector = bottoms
        if not selector or prod(selector[1:]) != 1:
            raise BottomError(
                len(filtered),
                f"is {show(selector)}, a selector has one value for each example",
                "its axes after the first must be 1",
            )
        for index, x in enumerate(filtered):
            if not x or x[0] != selector[0]:
                raise BottomError(
                    index,
                    f"is {show(x)} and the selector has {selector[0]} values",
                    "a bottom to filter needs as many examples as the selector has values",
                )
        return tuple(filtered)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What was picked."""
        return {"picked": base.Buffer(site.bottoms[-1][:1], np.bool_, saved=site.backward)}

    def forward(self, run: base.Forward[None]) -> None:
        """Copy what is picked.

        Raises:
            BottomError: the selector holds NaN.
            TopsReshaped: another number is picked than the tops have room for.
        """
        selector = run.bottoms[-1].reshape(-1)
        picked = np.not_equal(selector, 0, out=run.buffer("picked"))
        if np.isnan(selector).any():
            at = int(np.isnan(selector).argmax())
            raise BottomError(
                len(run.bottoms) - 1,
                f"holds nan at index {at}, which neither picks nor leaves",
                "0 leaves an example, any number picks it",
            )
        count = int(np.count_nonzero(picked))
        if count != len(run.top(0)):
            shapes = tuple((count, *x.shape[1:]) for x in run.bottoms[:-1])
            raise base.TopsReshaped(run, shapes)
        for x, y in zip(run.bottoms, run.tops, strict=False):
            np.compress(picked, x, axis=0, out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = dy where it was picked, 0 elsewhere."""
        picked = run.buffer("picked")
        for dx, dy in zip(run.bottom_diffs, run.top_diffs, strict=False):
            if dx is not None:
                dx.fill(0)
                dx[picked] = dy
