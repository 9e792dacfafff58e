"""InnerProduct: a fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.matrix import product
from netdef.layers import base
from netdef.layers.axes import axis_of
from netdef.layers.filler import ZEROS, Filler

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "inner_product_param"
_BLOCK = 1 << 19
"""Values of a block of gradients that is added from: 2 MB of float32 stay in cache."""
_LARGE = 1 << 20
"""Weights from which on reading them outweighs two more meetings of the threads."""


class Views(NamedTuple):
    """What every pass uses again: matrices whose columns are examples, in either layout.

    Attributes:
        x: the bottom, (k, n).
        y: the top, (num_output, n).
        ones: as many as examples; `dy @ ones` sums faster than `dy.sum`.
    """

    x: base.Array
    y: base.Array
    ones: base.Array


@base.layer("InnerProduct")
@dataclass(frozen=True, slots=True)
class InnerProduct(base.Layer[Views]):
    """Weigh all values of an example into each output.

    Formula:
        y[n, o] = b[o] + sum over k of w[o, k] * x[n, k]
    Bottoms:
        x: (n, ...); the axes from `axis` on are one vector of k values
    Tops:
        y: the axes before `axis`, then num_output
    Params:
        weight: (num_output, k), or (k, num_output) with `transpose`
        bias: (num_output,), with bias_term
    Cost:
        k MACs for each value of y
    Source:
        caffe/src/caffe/layers/inner_product_layer.cpp

    Example:
        >>> InnerProduct(num_output=10).shapes(((64, 50, 4, 4),))
        ((64, 10),)
    """

    num_output: int
    bias_term: bool = True
    axis: int = 1
    transpose: bool = False
    weight_filler: Filler = ZEROS
    bias_filler: Filler = ZEROS

    layout = base.CHWN
    reads_tops = False
    accumulates = True
    finishes_blocks = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read inner_product_param."""
        del phase
        p = message.inner_product_param
        if not p.num_output:
            said = "must be at least 1, is 0" if p.HasField("num_output") else "is missing"
            raise FieldError(f"{_PATH}.num_output", said, "write the number of outputs")
        return cls(
            num_output=p.num_output,
            bias_term=p.bias_term,
            axis=p.axis,
            transpose=p.transpose,
            weight_filler=Filler.read(p.weight_filler, f"{_PATH}.weight_filler"),
            bias_filler=Filler.read(p.bias_filler, f"{_PATH}.bias_filler"),
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """All axes from `axis` on become num_output."""
        axis = axis_of(self.axis, bottoms[0], f"{_PATH}.axis")
        self.weight_filler.check(self._weight_shape(bottoms[0]), f"{_PATH}.weight_filler")
        return ((*bottoms[0][:axis], self.num_output),)

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """Weight, and bias where there is one."""
        weight = base.Learned("weight", self._weight_shape(bottoms[0]), self.weight_filler)
        bias = base.Learned("bias", (self.num_output,), self.bias_filler)
        return (weight, bias) if self.bias_term else (weight,)

    def macs(self, bottoms: base.Shapes, tops: base.Shapes) -> int:
        """Every input with every output."""
        del tops
        return prod(bottoms[0]) * self.num_output

    def settings(self) -> str:
        """As `→10`."""
        return f"→{self.num_output}"

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Batch innermost where the first axis alone is batch."""
        axis = axis_of(self.axis, bottoms[0], f"{_PATH}.axis")
        return base.CHWN if axis == 1 else base.NCHW

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part | None:
        """Some of the outputs."""
        del bottoms
        if self.transpose:
            return None
        some = replace(self, num_output=high - low)
        return base.Part(some, None, (True,) * (1 + self.bias_term))

    def stages(self, site: base.Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Large weights are shared out among the shards, for reading them is what takes time."""
        if self.whole_params(site):
            return ("gather", "rows", "spread"), ("gather_back", "rows_back", "spread_back")
        return self.forward_stages, self.backward_stages

    def whole_params(self, site: base.Site) -> bool:
        """Whether each shard takes a share of the weights and computes it for the whole batch."""
        inputs, _ = self._counts(site)
        return site.shards > 1 and inputs * self.num_output >= _LARGE

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """A block of the bottom's gradient where it may have to be added; the whole batch."""
        inputs, examples = self._counts(site)
        if self.whole_params(site):
            return {} if site.shard else self._whole_batch(site, inputs)
        if not any(site.wanted):
            return {}
        return {"dx": base.Buffer((_block(inputs, examples), examples))}

    def prepare(self, run: base.Forward[Views]) -> Views:
        """See bottom and top as matrices."""
        inputs, examples = self._counts(run.site)
        x = _columns(run.bottom(0), run.site.layout, inputs, examples)
        y = _columns(run.top(0), run.site.layout, self.num_output, examples)
        return Views(x, y, np.ones(examples, run.site.dtype))

    def forward(self, run: base.Forward[Views]) -> None:
        """Y = W @ X + b."""
        x, y, _ = run.work
        product(self._weight(run.param(0)), x, out=y)
        if self.bias_term:
            np.add(y, run.param(1)[:, None], out=y)
        run.start_epilogues()
        run.finish(y, 0)

    def backward(self, run: base.Backward[Views]) -> None:
        """Write dW = dY @ X^T, db = dY @ 1 and dX = W^T @ dY."""
        x, _, ones = run.work
        layout, inputs, examples = run.site.layout, x.shape[0], ones.size
        dy = _columns(run.top_diff(0), layout, self.num_output, examples)
        if (dw := run.param_diff(0)) is not None:
            product(dy, x.T, out=self._weight(dw))
        if self.bias_term and (db := run.param_diff(1)) is not None:
            np.matmul(dy, ones, out=db)
        if (written := run.bottom_diff(0)) is None:
            return
        dx, turned = _columns(written, layout, inputs, examples), self._weight(run.param(0)).T
        if not run.adds(0):
            product(turned, dy, out=dx)
            return
        block = run.buffer("dx")
        for begin in range(0, inputs, len(block)):
            some = slice(begin, begin + len(block))
            part = block[: len(dx[some])]
            np.matmul(turned[some], dy, out=part)
            np.add(dx[some], part, out=dx[some])

    def gather(self, run: base.Forward[Views]) -> None:
        """Put the shard's images into the whole batch."""
        run.peers[0].buffer("x")[:, run.images] = run.work.x

    def rows(self, run: base.Forward[Views]) -> None:
        """Y = W @ X + b for the shard's share of the outputs, all images."""
        whole, rows = run.peers[0], _share(self.num_output, run.site)
        y = whole.buffer("y")[rows]
        np.matmul(self._weight(run.param(0))[rows], whole.buffer("x"), out=y)
        if self.bias_term:
            np.add(y, run.param(1)[rows, None], out=y)

    def spread(self, run: base.Forward[Views]) -> None:
        """Take the shard's images out of the whole batch."""
        np.copyto(run.work.y, run.peers[0].buffer("y")[:, run.images])
        run.start_epilogues()
        run.finish(run.work.y, 0)

    def gather_back(self, run: base.Backward[Views]) -> None:
        """Put the gradient by the shard's images into the whole batch."""
        dy = _columns(run.top_diff(0), run.site.layout, *run.work.y.shape)
        run.peers[0].buffer("dy")[:, run.images] = dy

    def rows_back(self, run: base.Backward[Views]) -> None:
        """Write the shard's rows of dW and db, and its share of dX for all images."""
        whole, rows = run.peers[0], _share(self.num_output, run.site)
        dy = whole.buffer("dy")
        if (dw := run.param_diff(0)) is not None:
            product(dy[rows], whole.buffer("x").T, out=self._weight(dw)[rows])
        if self.bias_term and (db := run.param_diff(1)) is not None:
            np.sum(dy[rows], axis=1, out=db[rows])
        if run.bottom_diff(0) is not None:
            dx = whole.buffer("dx")
            columns = _share(len(dx), run.site)
            np.matmul(self._weight(run.param(0))[:, columns].T, dy, out=dx[columns])

    def spread_back(self, run: base.Backward[Views]) -> None:
        """Take the shard's part of dX out of the whole batch."""
        if (written := run.bottom_diff(0)) is None:
            return
        dx = _columns(written, run.site.layout, *run.work.x.shape)
        part = run.peers[0].buffer("dx")[:, run.images]
        if run.adds(0):
            np.add(dx, part, out=dx)
        else:
            np.copyto(dx, part)

    def _whole_batch(self, site: base.Site, inputs: int) -> dict[str, base.Buffer]:
        """Bottom and top for all images, and their gradients, kept by the first shard.

        All are saved: the other shards write there while the first still runs other layers.
        """
        shapes = {"x": inputs, "y": self.num_output}
        if site.backward:
            shapes["dy"] = self.num_output
        if any(site.wanted):
            shapes["dx"] = inputs
        return {n: base.Buffer((rows, site.images), saved=True) for n, rows in shapes.items()}

    def _weight(self, w: base.Array) -> base.Array:
        """The weights as (num_output, k)."""
        return w.T if self.transpose else w

    def _weight_shape(self, bottom: base.Shape) -> base.Shape:
        axis = axis_of(self.axis, bottom, f"{_PATH}.axis")
        inputs = prod(bottom[axis:])
        return (inputs, self.num_output) if self.transpose else (self.num_output, inputs)

    def _counts(self, site: base.Site) -> tuple[int, int]:
        """Inputs of an output, and examples."""
        shape = site.bottoms[0]
        if site.layout is base.CHWN:
            return prod(shape[:-1]), shape[-1]
        axis = self.axis % len(shape)
        return prod(shape[axis:]), prod(shape[:axis])


def _share(count: int, site: base.Site) -> slice:
    """The shard's share of rows."""
    return slice(count * site.shard // site.shards, count * (site.shard + 1) // site.shards)


def _block(inputs: int, examples: int) -> int:
    """Rows of the bottom's gradient that are made at a time."""
    return min(inputs, max(64, _BLOCK // max(examples, 1)))


def _columns(array: base.Array, layout: base.Layout, rows: int, examples: int) -> base.Array:
    """An array as (rows, examples)."""
    assert array.flags.c_contiguous, "this array has gaps"
    if layout is base.CHWN:
        return array.reshape(rows, examples)
    return array.reshape(examples, rows).T
