"""Convolution: a bank of filters moved over the spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.convolution import Algorithm, Geometry, Plain, choose, measure, ways
from netdef.layers import base
from netdef.layers.axes import axis_of, must_equal
from netdef.layers.filler import ZEROS, Filler
from netdef.layers.spatial import once, read_dilation, read_sizes, spread, window_settings

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "convolution_param"


@base.layer("Convolution")
@dataclass(frozen=True, slots=True)
class Convolution(base.Layer[Algorithm]):
    """Move a bank of filters over the spatial axes.

    Formula:
        y[n, o, p] = b[o] + sum over c, t of w[o, c, t] * x[n, c, p * stride - pad + t * dilation]
        with c over the channels of o's group, t over the kernel's taps, and x = 0 off its edges.
        Output size: floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1
    Bottoms:
        x: (n, c, h, w), or any number of batch and spatial axes around `axis`; several bottoms
            are all convolved with the same filters
    Tops:
        y: (n, num_output, h', w'); one for each bottom
    Params:
        weight: (num_output, c / group, kernel_h, kernel_w)
        bias: (num_output,), with bias_term
    Cost:
        fan-in MACs for each value of y
    Source:
        caffe/src/caffe/layers/base_conv_layer.cpp, conv_layer.cpp
    Differs from Caffe:
        A kernel larger than the padded bottom is refused; Caffe's division, which rounds towards
        zero, can make an output of it. `engine` and `force_nd_im2col` are accepted and change
        nothing.

    Example:
        >>> Convolution(num_output=96, kernel_size=(11,), stride=(4,)).shapes(((1, 3, 227, 227),))
        ((1, 96, 55, 55),)
    """

    num_output: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...] = (1,)
    pad: tuple[int, ...] = (0,)
    dilation: tuple[int, ...] = (1,)
    group: int = 1
    bias_term: bool = True
    axis: int = 1
    weight_filler: Filler = ZEROS
    bias_filler: Filler = ZEROS

    layout = base.CHWN
    bottom_count = (1, None)
    top_count = (1, None)
    same_count = True
    reads_tops = False
    accumulates = True
    finishes_blocks = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read convolution_param."""
        del phase
        p = message.convolution_param
        if not p.num_output:
            said = "must be at least 1, is 0" if p.HasField("num_output") else "is missing"
            raise FieldError(f"{_PATH}.num_output", said, "write the number of filters")
        if p.group < 1:
            raise FieldError(f"{_PATH}.group", f"must be at least 1, is {p.group}")
        if p.num_output % p.group:
            raise FieldError(
                f"{_PATH}.num_output",
                f"is {p.num_output}, which {p.group} groups cannot share equally",
                f"write a multiple of {p.group}",
            )
        return cls(
            num_output=p.num_output,
            kernel_size=read_sizes(p, _PATH, "kernel_size", "kernel", 1, None),
            stride=read_sizes(p, _PATH, "stride", "stride", 1, 1),
            pad=read_sizes(p, _PATH, "pad", "pad", 0, 0),
            dilation=read_dilation(list(p.dilation), _PATH),
            group=p.group,
            bias_term=p.bias_term,
            axis=p.axis,
            weight_filler=Filler.read(p.weight_filler, f"{_PATH}.weight_filler"),
            bias_filler=Filler.read(p.bias_filler, f"{_PATH}.bias_filler"),
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The spatial axes shrink by the kernel, and by the stride rounded down."""
        must_equal(bottoms, "convolves")
        axis, g = self._geometry(bottoms[0])
        if g.channels % g.group:
            raise FieldError(
                f"{_PATH}.group",
                f"is {g.group}, which does not divide the {g.channels} channels of the bottom",
            )
        for i, out in enumerate(g.out):
            if out < 1:
                reach = g.dilation[i] * (g.kernel[i] - 1) + 1
                raise FieldError(
                    f"{_PATH}.kernel_size",
                    f"spans {reach} values of axis {axis + 1 + i}, which has {g.size[i]} and "
                    f"{2 * g.pad[i]} of padding",
                    "write a smaller kernel, or more `pad`",
                )
        self.weight_filler.check(self._weight_shape(g), f"{_PATH}.weight_filler")
        top = (*bottoms[0][:axis], self.num_output, *g.out)
        return (top,) * len(bottoms)

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """Weight, and bias where there is one."""
        _, g = self._geometry(bottoms[0])
        weight = base.Learned("weight", self._weight_shape(g), self.weight_filler)
        bias = base.Learned("bias", (self.num_output,), self.bias_filler)
        return (weight, bias) if self.bias_term else (weight,)

    def macs(self, bottoms: base.Shapes, tops: base.Shapes) -> int:
        """Fan-in for each output value."""
        _, g = self._geometry(bottoms[0])
        return g.fan_in * sum(map(prod, tops))

    def settings(self) -> str:
        """As `7×7/2 p3 →64`."""
        text = window_settings(self.kernel_size, self.stride, self.pad)
        if any(d != 1 for d in self.dilation):
            text += f" d{once(self.dilation)}"
        if self.group != 1:
            text += f" g{self.group}"
        return f"{text} →{self.num_output}"

    def algorithm(self, site: base.Site) -> str:
        """The way it computes there."""
        return self._algorithm(site).name

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Batch innermost for images; other numbers of axes as Caffe has them."""
        images = len(bottoms[0]) == 4 and self.axis in (1, -3)
        return base.CHWN if images else base.NCHW

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part | None:
        """Some of the filters; of whole groups the channels that they see."""
        each = self.num_output // self.group
        if len(bottoms) > 1 or (self.group > 1 and (low % each or high % each)):
            return None
        params = (True,) * (1 + self.bias_term)
        if self.group == 1:
            return base.Part(replace(self, num_output=high - low), None, params)
        sees = bottoms[0][1] // self.group
        first, last = low // each, high // each
        some = replace(self, num_output=high - low, group=last - first)
        return base.Part(some, (first * sees, last * sees), params)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What the algorithm works in."""
        algorithm = self._algorithm(site)
        needs = algorithm.scratch(dx=any(site.wanted), dw=any(site.learns))
        held = algorithm.held(bias=self.bias_term) if site.holds else ()
        return {name: base.Buffer(shape, held=name in held) for name, shape in needs.items()}

    def prepare(self, run: base.Forward[Algorithm]) -> Algorithm:
        """Choose the algorithm and give it its arrays."""
        algorithm = self._algorithm(run.site)
        algorithm.holds = run.site.holds
        names = algorithm.scratch(dx=any(run.site.wanted), dw=any(run.site.learns))
        algorithm.bind({name: run.buffer(name) for name in names}, run.site.dtype)
        return algorithm

    def take_params(self, run: base.Forward[Algorithm]) -> None:
        """Let the algorithm transform the weights."""
        run.work.take_weights(run.param(0), run.param(1) if self.bias_term else None)

    def forward(self, run: base.Forward[Algorithm]) -> None:
        """Y = w * x + b, for each bottom."""
        b = run.param(1) if self.bias_term else None
        finish = run.finish if run.epilogues else None
        run.start_epilogues()
        for x, y in zip(run.bottoms, run.tops, strict=True):
            run.work.forward(x, run.param(0), b, y, finish)

    def backward(self, run: base.Backward[Algorithm]) -> None:
        """Filters that saw several bottoms learn from the sum."""
        db = run.param_diff(1) if self.bias_term else None
        for index, (x, dy) in enumerate(zip(run.bottoms, run.top_diffs, strict=True)):
            run.work.backward(
                x,
                run.param(0),
                dy,
                run.bottom_diff(index),
                run.param_diff(0),
                db,
                add_dx=run.adds(index),
                add_params=index > 0,
            )

    def _weight_shape(self, g: Geometry) -> base.Shape:
        return (self.num_output, g.channels // self.group, *g.kernel)

    def _algorithm(self, site: base.Site) -> Algorithm:
        shape = site.bottoms[0]
        if site.layout is base.CHWN:
            *image, batch = shape
            _, geometry = self._geometry((batch, *image))
            return _way(geometry, site)(geometry)
        return Plain(self._geometry(shape)[1])

    def _geometry(self, shape: base.Shape) -> tuple[int, Geometry]:
        """The channel axis, and the sizes for a bottom of this shape."""
        axis = axis_of(self.axis, shape, f"{_PATH}.axis")
        size = tuple(shape[axis + 1 :])
        n = len(size)
        return axis, Geometry(
            batch=prod(shape[:axis]),
            channels=shape[axis],
            outputs=self.num_output,
            size=size,
            kernel=spread(self.kernel_size, n, f"{_PATH}.kernel_size"),
            stride=spread(self.stride, n, f"{_PATH}.stride"),
            pad=spread(self.pad, n, f"{_PATH}.pad"),
            dilation=spread(self.dilation, n, f"{_PATH}.dilation"),
            group=self.group,
        )


def _way(geometry: Geometry, site: base.Site) -> type[Algorithm]:
    """The algorithm in CHWN: by rule, or by trying all that fit."""
    dx, dw = any(site.wanted), any(site.learns)
    if site.tuner is not None:
        return _tried(geometry, site, dx=dx, dw=dw)
    if not site.fast:
        return choose(geometry, exact=site.exact, holds=site.holds)
    from netdef.kernels.fast.convolution import choose_fast  # compiles, so only if asked

    return choose_fast(geometry, exact=site.exact, dx=dx, dw=dw, holds=site.holds)


def _tried(geometry: Geometry, site: base.Site, *, dx: bool, dw: bool) -> type[Algorithm]:
    found = ways(geometry, exact=site.exact)
    if site.fast:
        from netdef.kernels.fast.convolution import fast_ways

        found += fast_ways(geometry, exact=site.exact, dx=dx, dw=dw)
    by_name = {way.__name__: way for way in found}
    assert site.tuner is not None
    chosen = site.tuner.pick(
        f"{geometry}, dx {dx}, dw {dw}, {np.dtype(site.dtype)}, "
        f"exact {site.exact}, fast {site.fast}" + ", holds" * site.holds,
        {
            name: partial(measure, way, geometry, site.dtype, dx=dx, dw=dw, holds=site.holds)
            for name, way in by_name.items()
        },
    )
    return by_name[chosen]
