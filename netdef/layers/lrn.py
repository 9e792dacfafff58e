"""LRN: values inhibited by their neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.kernels.blocks import BLOCK
from netdef.kernels.window_sum import WindowSum, scratch_size
from netdef.layers import base
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "lrn_param"
_REGIONS = ("ACROSS_CHANNELS", "WITHIN_CHANNEL")


class Part(NamedTuple):
    """A part of the arrays that has all its neighbours and stays in cache.

    Attributes:
        at: where it lies in `LRN._view` of a bottom or top.
        sums: sums over neighbours.
        first: whether those need clearing: the part before had other sums.
        base: k + alpha / count * sum of squares; kept for backward.
        one: scratch.
        two: scratch.
    """

    at: tuple[slice, ...]
    sums: WindowSum
    first: bool
    base: base.Array
    one: base.Array
    two: base.Array


@base.layer("LRN")
@dataclass(frozen=True, slots=True)
class LRN(base.Layer[tuple[Part, ...]]):
    """Divide every value by a measure of how large its neighbours are.

    Formula:
        y = x / (k + alpha / count * sum of x² over neighbours) ** beta
        ACROSS_CHANNELS: the neighbours are local_size channels at the same place;
        count = local_size
        WITHIN_CHANNEL: a square of local_size × local_size in the same channel; count =
        local_size², and k is 1 whatever is written
        What lies outside of the bottom is 0 and counts.
    Bottoms:
        x: (n, c, h, w)
    Tops:
        y: same as x
    Cost:
        about 10 operations a value forward and 12 backward, two of them square roots, where
        beta is 0.75; another beta but 0.5 and 1 takes a power, which costs as much as ten
    Source:
        caffe/src/caffe/layers/lrn_layer.cpp

    Differences from Caffe:
        Neighbours are added anew for each value, where Caffe moves a sum along the channels: a
        large value leaves no rounding error behind in those after it.

    Attributes:
        local_size: neighbours along an axis, the value itself among them; odd.
        alpha: factor of the mean of squares.
        beta: exponent.
        k: added before the exponent.
        norm_region: "ACROSS_CHANNELS" or "WITHIN_CHANNEL".

    Example:
        >>> LRN(local_size=5, alpha=1e-4).shapes(((32, 96, 27, 27),))
        ((32, 96, 27, 27),)
    """

    local_size: int = 5
    alpha: float = 1.0
    beta: float = 0.75
    k: float = 1.0
    norm_region: str = "ACROSS_CHANNELS"

    layout = base.CHWN
    in_place = True
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `lrn_param`.

        Raises:
            FieldError: local_size is even, so that no value is at the centre.
        """
        del phase
        param = message.lrn_param
        if param.local_size % 2 == 0:
            raise FieldError(
                f"{_PATH}.local_size",
                f"must be odd, is {param.local_size}",
                f"write {param.local_size + 1}, so that a value has as many neighbours on each "
                "side",
            )
        region = _REGIONS[param.norm_region]
        k = 1.0 if region == "WITHIN_CHANNEL" else param.k
        return cls(param.local_size, param.alpha, param.beta, k, region)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's shape.

        Raises:
            BottomError: it has not 4 axes.
        """
        (bottom,) = bottoms
        if len(bottom) != 4:
            raise BottomError(0, f"is {show(bottom)}, and LRN needs 4 axes (n, c, h, w)")
        return bottoms

    def settings(self) -> str:
        """Neighbours and exponent: `5 α0.0001 β0.75`."""
        size = f"{self.local_size}" if self._across else f"{self.local_size}×{self.local_size}"
        return f"{size} α{self.alpha:g} β{self.beta:g}" + (f" k{self.k:g}" if self.k != 1 else "")

    @property
    def _across(self) -> bool:
        return self.norm_region == "ACROSS_CHANNELS"

    @property
    def _axes(self) -> tuple[int, ...]:
        """Axes of neighbours in `_view`."""
        return (0,) if self._across else (1, 2)

    def _view(self, array: base.Array) -> base.Array:
        """Across: (channels, places); within: (channels, h, w, n)."""
        shape = array.shape
        return array.reshape(shape[0], prod(shape[1:])) if self._across else array

    def _block(self, shape: base.Shape) -> base.Shape:
        """Shape of the largest part."""
        if self._across:
            places = prod(shape[1:])
            return shape[0], min(places, max(64, BLOCK // shape[0]))
        return min(shape[0], max(1, BLOCK // prod(shape[1:]))), *shape[1:]

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What x is divided by, before the exponent, and scratch for a part."""
        shape = site.bottoms[0]
        if 0 in shape:
            return {}
        block = self._block(shape)
        needs = {
            "sums": base.Buffer((scratch_size(block, self._axes, self.local_size),)),
            "one": base.Buffer((prod(block),)),
            "two": base.Buffer((prod(block),)),
        }
        count = prod(shape) if site.backward else prod(block)
        needs["base"] = base.Buffer((count,), saved=site.backward)
        return needs

    def prepare(self, run: base.Forward[tuple[Part, ...]]) -> tuple[Part, ...]:
        """Cut the work into parts: columns across channels, channels within."""
        shape = run.site.bottoms[0]
        if 0 in shape:
            return ()
        block = self._block(shape)
        axis = 1 if self._across else 0
        whole = (shape[0], prod(shape[1:])) if self._across else shape
        kept, used = run.buffer("base"), 0
        known: dict[int, WindowSum] = {}
        parts = []
        for begin in range(0, whole[axis], block[axis]):
            count = min(block[axis], whole[axis] - begin)
            part = (*whole[:axis], count, *whole[axis + 1 :])
            first = count not in known
            if first:
                known[count] = WindowSum(part, self._axes, self.local_size, run.buffer("sums"))
            size = prod(part)
            parts.append(
                Part(
                    (*(slice(None),) * axis, slice(begin, begin + count)),
                    known[count],
                    first,
                    kept[used : used + size].reshape(part),
                    run.buffer("one")[:size].reshape(part),
                    run.buffer("two")[:size].reshape(part),
                )
            )
            used += size if run.site.backward else 0
        return tuple(parts)

    def forward(self, run: base.Forward[tuple[Part, ...]]) -> None:
        """Set y = x / base ** beta, base = k + alpha / count * sum of squares."""
        bottom, top = self._view(run.bottom(0)), self._view(run.top(0))
        for at, sums, first, inner, power, scratch in run.work:
            x = bottom[at]
            if first:
                sums.clear()
            np.multiply(x, x, out=sums.inside)
            sums.sum(inner)
            np.multiply(inner, self._factor, out=inner)
            np.add(inner, self.k, out=inner)
            self._raise(inner, power, scratch)
            np.divide(x, power, out=top[at])

    def backward(self, run: base.Backward[tuple[Part, ...]]) -> None:
        """Set dx = g - 2 alpha beta / count * x * sum of (g * x / base) over neighbours.

        Here g is dy / base ** beta.
        """
        if (written := run.bottom_diff(0)) is None:
            return
        bottom, dtop, dbottom = map(self._view, (run.bottom(0), run.top_diff(0), written))
        for at, sums, first, inner, one, g in run.work:
            x, dx = bottom[at], dbottom[at]
            self._raise(inner, one, g)
            np.divide(dtop[at], one, out=g)
            if first:
                sums.clear()
            np.multiply(g, x, out=sums.inside)
            np.divide(sums.inside, inner, out=sums.inside)
            sums.sum(one)
            np.multiply(one, x, out=one)
            np.multiply(one, -2 * self.beta * self._factor, out=one)
            if run.adds(0):
                np.add(one, g, out=one)
                np.add(dx, one, out=dx)
            else:
                np.add(one, g, out=dx)

    @property
    def _factor(self) -> float:
        count = self.local_size if self._across else self.local_size * self.local_size
        return self.alpha / count

    def _raise(self, inner: base.Array, out: base.Array, scratch: base.Array) -> None:
        """Write inner ** beta, without the general power where there is something faster."""
        if self.beta == 0.75:
            np.sqrt(inner, out=out)
            np.sqrt(out, out=scratch)
            np.multiply(out, scratch, out=out)
        elif self.beta == 0.5:
            np.sqrt(inner, out=out)
        elif self.beta == 1:
            np.copyto(out, inner)
        else:
            np.power(inner, self.beta, out=out)
