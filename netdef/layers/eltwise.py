"""Eltwise: add, multiply or compare bottoms value by value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.blocks import block_size, blocks
from netdef.layers import base
from netdef.layers.axes import must_equal

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_OPERATIONS = ("PROD", "SUM", "MAX")
_VERBS = {"PROD": "multiplies", "SUM": "adds", "MAX": "compares"}


@base.layer("Eltwise")
@dataclass(frozen=True, slots=True)
class Eltwise(base.Layer[None]):
    """Combine bottoms of one shape value by value.

    Formula:
        SUM: y = coeff_0 * x0 + coeff_1 * x1 + …
        PROD: y = x0 * x1 * …
        MAX: y = max(x0, x1, …)
    Bottoms:
        x0, x1, …: at least two, of one shape
    Tops:
        y: same as x0
    Cost:
        1 flop a value and bottom, 2 with coefficients. For backward, SUM saves nothing, MAX one
        byte a value, PROD as much as each bottom that wants a gradient
    Source:
        caffe/src/caffe/layers/eltwise_layer.cpp

    Differences from Caffe:
        `stable_prod_grad: false` is accepted and the gradient of PROD is the stable one all the
        same: it never divides by a bottom that is 0.
        A NaN in any bottom makes the maximum NaN; in Caffe it depends on which bottom.
        The top may be the first bottom, where Caffe's SUM would forget what is in it.

    Attributes:
        operation: "PROD", "SUM" or "MAX".
        coeff: factor of each bottom, for SUM; none for 1. MAX ignores them, as in Caffe. Of equal
            maxima, the gradient goes to one: of the first two bottoms to the second, else to the
            earlier one.

    Example:
        >>> Eltwise("MAX").shapes(((2, 3), (2, 3)))
        ((2, 3),)
    """

    operation: str = "SUM"
    coeff: tuple[float, ...] = ()

    layout = base.ANY
    bottom_count = (2, None)
    in_place = True
    channelwise = True
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `eltwise_param`.

        Raises:
            FieldError: there are coefficients for PROD, or not one for each bottom.
        """
        del phase
        param = message.eltwise_param
        operation, coeff = _OPERATIONS[param.operation], tuple(param.coeff)
        if coeff and operation == "PROD":
            raise FieldError(
                "eltwise_param.coeff[0]",
                "is a factor for a sum, but the operation is PROD",
                "leave `coeff` out, or write `operation: SUM`",
            )
        if coeff and len(coeff) != len(message.bottom):
            raise FieldError(
                f"eltwise_param.coeff[{min(len(coeff), len(message.bottom) + 1) - 1}]",
                f"is one of {len(coeff)}, the layer has {len(message.bottom)} bottoms",
                "write one coefficient for each bottom, or none",
            )
        return cls(operation, () if operation == "MAX" else coeff)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottoms' common shape.

        Raises:
            BottomError: they have none.
        """
        must_equal(bottoms, _VERBS[self.operation])
        return bottoms[:1]

    def settings(self) -> str:
        """The operation: `1 -0.5` are coefficients of a sum."""
        if self.operation != "SUM":
            return self.operation.lower()
        return "sum" + "".join(f" {c:g}" for c in self.coeff)

    @property
    def finishes_blocks(self) -> bool:  # type: ignore[override]  # others pass more than once
        """Sums, block by block."""
        return self.operation == "SUM"

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch for a block, and what backward needs in place of the bottoms."""
        shape = site.bottoms[0]
        needs = {"scratch": base.Buffer((block_size(shape),))}
        if self.operation == "MAX":
            needs["mask"] = base.Buffer((block_size(shape),), np.bool_)
            if site.backward:
                kind = np.uint8 if len(site.bottoms) < 256 else np.int32
                needs["winner"] = base.Buffer(shape, kind, saved=True)
        elif self.operation == "PROD":
            for index, wanted in enumerate(site.wanted):
                if wanted:
                    needs[f"others{index}"] = base.Buffer(shape, saved=True)
        return needs

    def forward(self, run: base.Forward[None]) -> None:
        """Combine the bottoms; y may be x0, so each block of it is written last."""
        run.start_epilogues()
        match self.operation:
            case "SUM":
                self._sum(run)
            case "PROD":
                self._multiply(run)
            case _:
                self._largest(run)

    def _sum(self, run: base.Forward[None]) -> None:
        coeff = self.coeff or (1.0,) * len(run.bottoms)
        for y, first, *rest in blocks(run.top(0), *run.bottoms):
            scratch = run.buffer("scratch")[: y.size]
            if coeff[:2] == (1.0, 1.0):
                np.add(first, rest[0], out=y)
                todo = list(zip(rest, coeff[1:], strict=True))[1:]
            else:
                np.multiply(first, coeff[0], out=y)
                todo = list(zip(rest, coeff[1:], strict=True))
            for x, factor in todo:
                if factor == 1:
                    np.add(y, x, out=y)
                else:
                    np.multiply(x, factor, out=scratch)
                    np.add(y, scratch, out=y)
            run.finish(y, 0)

    def _multiply(self, run: base.Forward[None]) -> None:
        for index, wanted in enumerate(run.site.wanted):
            if wanted:
                others = run.buffer(f"others{index}")
                first, *rest = (x for i, x in enumerate(run.bottoms) if i != index)
                np.copyto(others, first)
                for x in rest:
                    np.multiply(others, x, out=others)
        y = run.top(0)
        np.multiply(run.bottom(0), run.bottom(1), out=y)
        for x in run.bottoms[2:]:
            np.multiply(y, x, out=y)

    def _largest(self, run: base.Forward[None]) -> None:
        if not run.site.backward:
            y = run.top(0)
            np.maximum(run.bottom(0), run.bottom(1), out=y)
            for x in run.bottoms[2:]:
                np.maximum(y, x, out=y)
            return
        for y, winner, first, second, *rest in blocks(
            run.top(0), run.buffer("winner"), *run.bottoms
        ):
            mask = run.buffer("mask")[: y.size]
            np.greater(first, second, out=mask)
            np.logical_not(mask, out=winner)
            np.maximum(first, second, out=y)
            for index, x in enumerate(rest, 2):
                np.greater(x, y, out=mask)
                np.copyto(winner, index, where=mask)
                np.maximum(y, x, out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx_i = coeff_i * dy, the product of the others * dy, or dy where x_i is largest.

        dx0 may be dy, so it is written last.
        """
        for index in reversed(range(len(run.bottom_diffs))):
            dx = run.bottom_diff(index)
            if dx is None or self._is_done(run, index):
                continue
            for dy, part, saved in blocks(run.top_diff(0), dx, self._saved(run, index)):
                if run.adds(index):
                    scratch = run.buffer("scratch")[: dy.size]
                    self._slope(run, index, dy, saved, scratch)
                    np.add(part, scratch, out=part)
                else:
                    self._slope(run, index, dy, saved, part)

    def _is_done(self, run: base.Backward[None], index: int) -> bool:
        """Whether the bottom's gradient is the top's, and lies there."""
        dx = run.bottom_diffs[index]
        same = dx is not None and dx.ctypes.data == run.top_diff(0).ctypes.data
        plain = not self.coeff or self.coeff[index] == 1
        return same and plain and self.operation == "SUM" and not run.adds(index)

    def _saved(self, run: base.Backward[None], index: int) -> base.Array:
        """What forward saved for this bottom; for SUM nothing, and dy stands in."""
        if self.operation == "PROD":
            return run.buffer(f"others{index}")
        return run.buffer("winner") if self.operation == "MAX" else run.top_diff(0)

    def _slope(
        self,
        run: base.Backward[None],
        index: int,
        dy: base.Array,
        saved: base.Array,
        out: base.Array,
    ) -> None:
        """Write a block of the gradient by a bottom."""
        if self.operation == "MAX":
            mask = run.buffer("mask")[: dy.size]
            np.equal(saved, index, out=mask)
            np.multiply(dy, mask, out=out)
        elif self.operation == "PROD":
            np.multiply(dy, saved, out=out)
        elif self.coeff and self.coeff[index] != 1:
            np.multiply(dy, self.coeff[index], out=out)
        else:
            np.copyto(out, dy)
