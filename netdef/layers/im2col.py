"""Im2col: the columns that a convolution multiplies with its filters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.convolution import Geometry
from netdef.kernels.taps import Tap
from netdef.layers import base
from netdef.layers.axes import axis_of
from netdef.layers.spatial import once, read_dilation, read_sizes, spread, window_settings

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "convolution_param"


class Pair(NamedTuple):
    """Where the values that one tap meets stand in the bottom and in the top."""

    source: tuple[slice | int, ...]
    target: tuple[slice | int, ...]


@base.layer("Im2col")
@dataclass(frozen=True, slots=True)
class Im2col(base.Layer[tuple[Pair, ...]]):
    """Put the values that each place of a window sees beside each other, as channels.

    Formula:
        y[n, (c, t), p] = x[n, c, p * stride - pad + t * dilation], x = 0 off its edges,
        with t over the window's taps, the last axis fastest
        Output size: floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1
    Bottoms:
        x: (n, c, h, w), or any number of batch and spatial axes around `axis`
    Tops:
        y: (n, c * kernel_h * kernel_w, h', w')
    Cost:
        a copy of each value for each tap that meets it
    Source:
        caffe/src/caffe/layers/im2col_layer.cpp
    Differs from Caffe:
        A kernel larger than the padded bottom is refused; Caffe's division, which rounds towards
        zero, can make an output of it. `num_output`, `group`, `engine` and the fillers mean
        nothing here, as in Caffe.

    Example:
        >>> Im2col(kernel_size=(3,), stride=(2,), pad=(1,)).shapes(((1, 2, 5, 5),))
        ((1, 18, 3, 3),)
    """

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...] = (1,)
    pad: tuple[int, ...] = (0,)
    dilation: tuple[int, ...] = (1,)
    axis: int = 1

    layout = base.CHWN
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read the window of `convolution_param`.

        Raises:
            FieldError: a size is missing, too small, or given twice.
        """
        del phase
        p = message.convolution_param
        return cls(
            kernel_size=read_sizes(p, _PATH, "kernel_size", "kernel", 1, None),
            stride=read_sizes(p, _PATH, "stride", "stride", 1, 1),
            pad=read_sizes(p, _PATH, "pad", "pad", 0, 0),
            dilation=read_dilation(list(p.dilation), _PATH),
            axis=p.axis,
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """As many channels as values in a window.

        Raises:
            FieldError: there is no axis to move along, or the window is too large.
        """
        axis, g = self._geometry(bottoms[0])
        if not g.size:
            raise FieldError(
                f"{_PATH}.axis",
                f"is {self.axis}, the bottom's last axis, which leaves none for the window",
                "write the axis of channels",
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
        return ((*bottoms[0][:axis], g.channels * prod(g.kernel), *g.out),)

    def settings(self) -> str:
        """As `3×3/2 p1`."""
        text = window_settings(self.kernel_size, self.stride, self.pad)
        return text + (f" d{once(self.dilation)}" if any(d != 1 for d in self.dilation) else "")

    def layout_at(self, bottoms: base.Shapes) -> base.Layout:
        """Batch innermost where the first axis alone is batch."""
        return base.CHWN if axis_of(self.axis, bottoms[0], f"{_PATH}.axis") == 1 else base.NCHW

    def prepare(self, run: base.Forward[tuple[Pair, ...]]) -> tuple[Pair, ...]:
        """Find, for each tap, which outputs meet the bottom, and where."""
        g = self._site_geometry(run.site)
        # all batch axes are one, first or last
        lead: tuple[slice, ...] = (slice(None),) * (1 if run.site.layout is base.CHWN else 2)
        pairs = []
        for numbers in product(*map(range, g.kernel)):
            met = [g.taps(axis)[tap] for axis, tap in enumerate(numbers)]
            if all(tap.high > tap.low for tap in met):
                inputs = [_every(tap, step) for tap, step in zip(met, g.stride, strict=True)]
                outputs = [slice(tap.low, tap.high) for tap in met]
                pairs.append(Pair((*lead, *inputs), (*lead, *numbers, *outputs)))
        return tuple(pairs)

    def forward(self, run: base.Forward[tuple[Pair, ...]]) -> None:
        """Copy what each tap meets; padding is 0."""
        x, columns = self._axes(run.bottom(0), run.top(0), run.site)
        if any(self.pad):
            columns.fill(0)
        for source, target in run.work:
            np.copyto(columns[target], x[source])

    def backward(self, run: base.Backward[tuple[Pair, ...]]) -> None:
        """A value gets the gradients of all its copies."""
        written = run.bottom_diff(0)
        if written is None:
            return
        dx, columns = self._axes(written, run.top_diff(0), run.site)
        if not run.adds(0):
            dx.fill(0)
        for source, target in run.work:
            part = dx[source]
            np.add(part, columns[target], out=part)

    def _axes(
        self, x: base.Array, columns: base.Array, site: base.Site
    ) -> tuple[base.Array, base.Array]:
        """Bottom and top with one batch axis, and the top with an axis for each of the taps'."""
        g = self._site_geometry(site)
        inner, outer = (g.channels, *g.size), (g.channels, *g.kernel, *g.out)
        if site.layout is base.CHWN:
            return x.reshape(*inner, g.batch), columns.reshape(*outer, g.batch)
        return x.reshape(g.batch, *inner), columns.reshape(g.batch, *outer)

    def _site_geometry(self, site: base.Site) -> Geometry:
        shape = site.bottoms[0]
        if site.layout is base.CHWN:
            shape = (shape[-1], *shape[:-1])
        return self._geometry(shape)[1]

    def _geometry(self, shape: base.Shape) -> tuple[int, Geometry]:
        """The channel axis, and the sizes for a bottom of this shape."""
        axis = axis_of(self.axis, shape, f"{_PATH}.axis")
        size = tuple(shape[axis + 1 :])
        n = len(size)
        return axis, Geometry(
            batch=prod(shape[:axis]),
            channels=shape[axis],
            outputs=1,
            size=size,
            kernel=spread(self.kernel_size, n, f"{_PATH}.kernel_size") if n else (),
            stride=spread(self.stride, n, f"{_PATH}.stride") if n else (),
            pad=spread(self.pad, n, f"{_PATH}.pad") if n else (),
            dilation=spread(self.dilation, n, f"{_PATH}.dilation") if n else (),
        )


def _every(tap: Tap, stride: int) -> slice:
    count = tap.high - tap.low
    return slice(tap.start, tap.start + (count - 1) * stride + 1, stride)
