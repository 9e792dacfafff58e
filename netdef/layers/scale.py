"""Scale: a factor for each channel, learned or from another bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.kernels.along import Along
from netdef.layers import base
from netdef.layers.affine import Affine
from netdef.layers.filler import ZEROS, Filler
from netdef.layers.operand import (
    check_num_axes,
    operand,
    operand_along,
    operand_layout,
    sum_into,
)

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "scale_param"
_ONES = Filler(value=1.0)


@base.layer("Scale")
@dataclass(frozen=True, slots=True)
class Scale(base.Layer[Along]):
    """Multiply by factors that lie along some axes, and add a bias along the same.

    Formula:
        y = x * scale + bias, both repeated over the axes that they do not lie along
    Bottoms:
        x: any shape
        scale: sizes of x from `axis` on, as many as it has axes; a scalar fits everywhere. Where
        there is none it is a param
    Tops:
        y: same as x
    Params:
        scale: sizes of x, `num_axes` from `axis` on; for one bottom only
        bias: same as scale, with bias_term
    Cost:
        1 operation a value, 2 with a bias; backward 3, and 1 more for the bias
    Source:
        caffe/src/caffe/layers/scale_layer.cpp

    Differences from Caffe:
        Working in place it keeps no copy of x: the plan gives y its own memory where backward
        wants x.

    Attributes:
        axis: first axis of x that the factors lie along; negative counts from the end.
        num_axes: how many axes they lie along, -1 for all to the end; of the params only.
        bias_term: whether a bias is added.
        filler: of the factors; 1 where none is written.
        bias_filler: of the bias.

    Example:
        >>> [p.shape for p in Scale(bias_term=True).params(((8, 256, 56, 56),))]
        [(256,), (256,)]
    """

    axis: int = 1
    num_axes: int = 1
    bias_term: bool = False
    filler: Filler = _ONES
    bias_filler: Filler = ZEROS

    layout = base.CHWN
    bottom_count = (1, 2)
    in_place = True
    reads_tops = False
    accumulates = True
    finishes_blocks = True
    finishes_channels = False  # whatever the axis

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `scale_param`.

        Raises:
            FieldError: fewer axes than none, or no such filler.
        """
        del phase
        param = message.scale_param
        check_num_axes(param.num_axes, _PATH)
        return cls(
            param.axis,
            param.num_axes,
            param.bias_term,
            Filler.read(param.filler, f"{_PATH}.filler") if param.HasField("filler") else _ONES,
            Filler.read(param.bias_filler, f"{_PATH}.bias_filler"),
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The first bottom's shape.

        Raises:
            FieldError: the params reach beyond the bottom.
            BottomError: the second bottom does not fit the first.
        """
        _, shape = self._operand(bottoms)
        self.filler.check(shape, f"{_PATH}.filler")
        self.bias_filler.check(shape, f"{_PATH}.bias_filler")
        return bottoms[:1]

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """The factors unless a bottom brings them, and the bias."""
        _, shape = self._operand(bottoms)
        scale = (base.Learned("scale", shape, self.filler),) if len(bottoms) == 1 else ()
        bias = (base.Learned("bias", shape, self.bias_filler),) if self.bias_term else ()
        return scale + bias

    def settings(self) -> str:
        """Whether there is a bias."""
        return "+bias" if self.bias_term else ""

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Batch innermost where images share the params, or each has factors of its own."""
        start, shape = self._operand(bottoms)
        learned = self.bias_term or len(bottoms) == 1
        return operand_layout(start, shape, len(bottoms), learned=learned)

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part | None:
        """Where each channel has one learned factor."""
        if len(bottoms) > 1 or self.axis % len(bottoms[0]) != 1 or self.num_axes != 1:
            return None
        return base.Part(self, (low, high), (True,) * (1 + self.bias_term))

    def has_epilogue(self, site: base.Site) -> bool:
        """One learned factor for each channel, and no gradient that needs the bottom."""
        return self._by_channel(site) and not site.backward

    def epilogue(self, run: base.Forward[Along]) -> base.Epilogue:
        """Multiply by the factors, add the bias."""

        def terms() -> tuple[base.Array, base.Array | None]:
            return run.param(0), run.param(1) if self.bias_term else None

        return Affine(terms, fast=run.site.fast)

    def _by_channel(self, site: base.Site) -> bool:
        axes = len(site.bottoms[0])
        return len(site.bottoms) == 1 and self.axis % axes == 1 and self.num_axes == 1

    def algorithm(self, site: base.Site) -> str:
        """Whether a compiled kernel computes it."""
        return "compiled" if type(self._along(site)) is not Along else ""

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a piece."""
        return {"scratch": base.Buffer((self._along(site).block,))} if site.backward else {}

    def prepare(self, run: base.Forward[Along]) -> Along:
        """Cut the work into pieces."""
        return self._along(run.site)

    def forward(self, run: base.Forward[Along]) -> None:
        """Set y = x * scale + bias."""
        along = run.work
        x, y, scale = along.large(run.bottom(0)), along.large(run.top(0)), self._scale(run)
        bias = along.small(run.params[-1]) if self.bias_term else None
        run.start_epilogues()
        for large, small in along.pieces:
            part = y[large]
            along.affine(x[large], scale[small], None if bias is None else bias[small], part)
            run.finish(part, 0)

    def backward(self, run: base.Backward[Along]) -> None:
        """Set dscale = sum(dy * x), dbias = sum(dy) and dx = dy * scale."""
        along = run.work
        x, dy, scale = along.large(run.bottom(0)), along.large(run.top_diff(0)), self._scale(run)
        dscale = sum_into(along, self._scale_diff(run), adds=len(run.bottoms) > 1 and run.adds(1))
        dbias = sum_into(along, run.param_diffs[-1] if self.bias_term else None)
        written = run.bottom_diff(0)
        dx = None if written is None else along.large(written)
        scratch = run.buffer("scratch")
        for large, small in along.pieces:
            along.affine_back(
                x[large],
                scale[small],
                dy[large],
                None if dscale is None else dscale[small],
                None if dbias is None else dbias[small],
                None if dx is None else dx[large],
                scratch,
                add=run.adds(0),
            )

    def _scale(self, run: base.Forward[Along]) -> base.Array:
        """The factors, a view that broadcasts."""
        return run.work.small(run.bottom(1) if len(run.bottoms) > 1 else run.param(0))

    def _scale_diff(self, run: base.Backward[Along]) -> base.Array | None:
        """Where the factors' gradient is written, if anywhere."""
        return run.bottom_diff(1) if len(run.bottoms) > 1 else run.param_diff(0)

    def _operand(self, bottoms: base.Shapes) -> tuple[int, base.Shape]:
        return operand(bottoms, self.axis, self.num_axes, _PATH)

    def _along(self, site: base.Site) -> Along:
        return operand_along(site, self.axis, self.num_axes, _PATH)
