"""Deconvolution: a convolution turned around, which makes images larger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.convolution import Algorithm, Geometry
from netdef.kernels.matrix import as_rows
from netdef.layers import base
from netdef.layers.axes import axis_of, must_equal
from netdef.layers.convolution import Convolution
from netdef.layers.spatial import spread

_PATH = "convolution_param"


@base.layer("Deconvolution")
@dataclass(frozen=True, slots=True)
class Deconvolution(Convolution):
    """Stamp each value of the bottom onto the top, as many filters as there are outputs.

    Formula:
        y[n, o, q] = b[o] + sum over c, p, t of w[c, o, t] * x[n, c, p]
        with p * stride - pad + t * dilation = q, c over the channels of o's group, t over the
        kernel's taps: forward is what the gradient of a Convolution is, and the other way round
        Output size: stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * pad
    Bottoms:
        x: (n, c, h, w), or any number of batch and spatial axes around `axis`; several bottoms
            are all stamped with the same filters
    Tops:
        y: (n, num_output, h', w'); one for each bottom
    Params:
        weight: (c, num_output / group, kernel_h, kernel_w), channels of the bottom first
        bias: (num_output,), with bias_term
    Cost:
        num_output / group * kernel_h * kernel_w MACs for each value of x
    Source:
        caffe/src/caffe/layers/base_conv_layer.cpp, deconv_layer.cpp
    Differs from Caffe:
        Padding that leaves no output is refused; Caffe makes an empty blob where it leaves
        exactly none. `engine` and `force_nd_im2col` are accepted and change nothing.

    Example:
        >>> Deconvolution(num_output=21, kernel_size=(64,), stride=(32,)).shapes(((1, 21, 16, 16),))
        ((1, 21, 544, 544),)
    """

    accumulates = False

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The spatial axes grow by the stride, and by what the kernel reaches over."""
        must_equal(bottoms, "deconvolves")
        axis, g = self._geometry(bottoms[0])
        if g.outputs % g.group:
            raise FieldError(
                f"{_PATH}.group",
                f"is {g.group}, which does not divide the {g.outputs} channels of the bottom",
                f"write a number that divides {g.outputs} and `num_output`, {self.num_output}",
            )
        for i, out in enumerate(g.size):
            if out < 1:
                reach = out + 2 * g.pad[i]
                raise FieldError(
                    f"{_PATH}.pad",
                    f"cuts {2 * g.pad[i]} off axis {axis + 1 + i}, which would have {reach} values",
                    "write a smaller `pad`",
                )
        self.weight_filler.check(self._weight_shape(g), f"{_PATH}.weight_filler")
        top = (*bottoms[0][:axis], self.num_output, *g.size)
        return (top,) * len(bottoms)

    def macs(self, bottoms: base.Shapes, tops: base.Shapes) -> int:
        """A stamp for each value of the bottom."""
        del tops
        _, g = self._geometry(bottoms[0])
        return g.fan_in * sum(map(prod, bottoms))

    def part(self, bottoms: base.Shapes, low: int, high: int) -> base.Part | None:
        """None: the tops' channels are the second axis of the weights, which has gaps if cut."""
        del bottoms, low, high
        return None

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What the algorithm works in; sums for the bias."""
        algorithm = self._algorithm(site)
        needs = algorithm.scratch(dx=True, dw=any(site.learns))
        held = algorithm.held(bias=False) if site.holds else ()
        found = {name: base.Buffer(shape, held=name in held) for name, shape in needs.items()}
        if self.bias_term and any(site.learns):
            found["bias"] = base.Buffer((self.num_output,))
        return found

    def prepare(self, run: base.Forward[Algorithm]) -> Algorithm:
        """Choose the algorithm and give it its arrays."""
        algorithm = self._algorithm(run.site)
        algorithm.holds = run.site.holds
        names = algorithm.scratch(dx=True, dw=any(run.site.learns))
        algorithm.bind({name: run.buffer(name) for name in names}, run.site.dtype)
        return algorithm

    def take_params(self, run: base.Forward[Algorithm]) -> None:
        """Let the algorithm transform the weights; the bias is not its own."""
        run.work.take_weights(run.param(0), None)

    def forward(self, run: base.Forward[Algorithm]) -> None:
        """Write the convolution's gradient by its input, then add the bias."""
        w, algorithm = run.param(0), run.work
        for x, y in zip(run.bottoms, run.tops, strict=True):
            if not y.size:
                continue  # an empty batch
            # without dw a convolution does not look at its input, which is not there
            algorithm.backward(y, w, x, y, None, None)
            if self.bias_term:
                outputs = self._outputs(y, run.site)
                np.add(outputs, run.param(1)[:, None], out=outputs)

    def backward(self, run: base.Backward[Algorithm]) -> None:
        """The convolution of dy is dx; its gradient by the weights is dw."""
        w, dw = run.param(0), run.param_diff(0)
        db = run.param_diff(1) if self.bias_term else None
        for index, (x, dy) in enumerate(zip(run.bottoms, run.top_diffs, strict=True)):
            if not dy.size:
                for diff in (dw, db):
                    if diff is not None:
                        diff.fill(0)  # all bottoms are of one shape: the others are empty too
                continue
            if dw is not None:
                run.work.backward(dy, w, x, None, dw, None, add_params=index > 0)
            if db is not None:
                sums = run.buffer("bias") if index else db
                np.add.reduce(self._outputs(dy, run.site), axis=(0, 2), out=sums)
                if index:
                    np.add(db, sums, out=db)
            if (dx := run.bottom_diff(index)) is not None:
                run.work.forward(dy, w, None, dx)

    def _outputs(self, y: base.Array, site: base.Site) -> base.Array:
        """A top as (images, num_output, positions); with the batch innermost it is one image."""
        if site.layout is base.CHWN:
            return as_rows(y, 1, self.num_output)
        axis = axis_of(self.axis, y.shape, f"{_PATH}.axis")
        return y.reshape(prod(y.shape[:axis]), self.num_output, prod(y.shape[axis + 1 :]))

    def _weight_shape(self, g: Geometry) -> base.Shape:
        return (g.outputs, g.channels // g.group, *g.kernel)

    def _geometry(self, shape: base.Shape) -> tuple[int, Geometry]:
        """The channel axis, and the convolution from a top's sizes to this bottom's."""
        axis = axis_of(self.axis, shape, f"{_PATH}.axis")
        size = shape[axis + 1 :]
        n = len(size)
        kernel = spread(self.kernel_size, n, f"{_PATH}.kernel_size")
        stride = spread(self.stride, n, f"{_PATH}.stride")
        pad = spread(self.pad, n, f"{_PATH}.pad")
        dilation = spread(self.dilation, n, f"{_PATH}.dilation")
        axes = zip(size, kernel, stride, pad, dilation, strict=True)
        return axis, Geometry(
            batch=prod(shape[:axis]),
            channels=self.num_output,
            outputs=shape[axis],
            size=tuple(s * (count - 1) + d * (k - 1) + 1 - 2 * p for count, k, s, p, d in axes),
            kernel=kernel,
            stride=stride,
            pad=pad,
            dilation=dilation,
            group=self.group,
        )
