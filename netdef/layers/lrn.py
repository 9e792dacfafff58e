"""LRN: values inhibited by their neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.diag import BottomError, FieldError
from netdef.kernels.lrn import Formula, Inhibitor
from netdef.layers import base
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "lrn_param"
_REGIONS = ("ACROSS_CHANNELS", "WITHIN_CHANNEL")


@base.layer("LRN")
@dataclass(frozen=True, slots=True)
class LRN(base.Layer[Inhibitor | None]):
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

    def algorithm(self, site: base.Site) -> str:
        """Whether a compiled kernel computes it."""
        way = self._way(site)
        return "" if way is None else way.name

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What the kernel works in, and what it keeps for backward."""
        way = self._way(site)
        needs = {} if way is None else way.needs(backward=site.backward)
        return {name: base.Buffer((size,), saved=saved) for name, (size, saved) in needs.items()}

    def prepare(self, run: base.Forward[Inhibitor | None]) -> Inhibitor | None:
        """Give the kernel its arrays; None where there are no values."""
        way = self._way(run.site)
        if way is not None:
            backward = run.site.backward
            names = way.needs(backward=backward)
            way.bind({name: run.buffer(name) for name in names}, backward=backward)
        return way

    def forward(self, run: base.Forward[Inhibitor | None]) -> None:
        """Set y = x / base ** beta, base = k + alpha / count * sum of squares."""
        if run.work is not None:
            run.work.forward(run.bottom(0), run.top(0))

    def backward(self, run: base.Backward[Inhibitor | None]) -> None:
        """Set dx = g - 2 alpha beta / count * x * sum of (g * x / base) over neighbours.

        Here g is dy / base ** beta.
        """
        dx = run.bottom_diff(0)
        if dx is not None and run.work is not None:
            run.work.backward(run.bottom(0), run.top_diff(0), dx, add=run.adds(0))

    @property
    def _across(self) -> bool:
        return self.norm_region == "ACROSS_CHANNELS"

    def _way(self, site: base.Site) -> Inhibitor | None:
        """What computes it; None where there are no values."""
        if 0 in site.bottoms[0]:
            return None
        count = self.local_size if self._across else self.local_size * self.local_size
        formula = Formula(
            self.local_size, self.alpha / count, self.beta, self.k, across=self._across
        )
        way = Inhibitor
        if site.fast:
            from netdef.kernels.fast.lrn import choose_fast  # compiles, so only if asked

            way = choose_fast(formula, site.bottoms[0])
        return way(formula, site.bottoms[0])
