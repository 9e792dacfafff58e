"""Convolution of few channels straight from the formula, four outputs at a time.

A matrix product of so few rows does not earn back its columns. Here the input is copied once,
with its padding, so that the values which a tap meets follow each other whatever the stride; the
taps of a kernel's row are then multiplied for four outputs in one loop, whose weights stay in
registers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm, Array, Finish, Scratch
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.im2col import Im2col
from netdef.kernels.fast.depthwise import image_shape, sums, tap_starts
from netdef.kernels.fast.fours import add1, add3, add4, add5, sum1, sum3, sum4, sum5
from netdef.kernels.fast.jit import compiled, summing
from netdef.kernels.fast.rows import columns_of, copy_grid, take_image

_ROWS = 1 << 13
"""Values of an output that are made before they are put in their place."""

_TILE = 2048
"""Values of an output that stay in first-level cache while all taps are added."""

_LINE = 16
"""Values of a cache line, or more."""

_CHANNELS = 4
"""Up to so many channels it beats a matrix product over columns."""

_KERNEL = 7
"""Larger kernels are for other ways: they move by large strides."""

_FEWEST = 4
"""Images from which on it pays to have them side by side."""

Pair = tuple[int, ...]  # height and width


class FastDirect(Algorithm):
    """CHWN; few channels, outputs in fours. The gradient of the input is im2col's.

    Accuracy: that of plain sums, relative L2 error about 3e-7.
    """

    name = "direct, compiled"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g = geometry
        self._sizes = g.stride, g.pad, g.dilation
        self._inner = Im2col(g)

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        g = geometry
        return len(g.size) == 2 and g.group == 1 and g.outputs % 4 == 0 and g.batch > 0

    @classmethod
    def pays(cls, geometry: Geometry) -> bool:
        """Whether it beats the others, where the input's gradient is not wanted."""
        g = geometry
        small = g.channels <= _CHANNELS and 2 < g.kernel[1] <= _KERNEL
        return cls.fits(g) and small and g.batch >= _FEWEST

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """The input with its padding, and some rows of four outputs."""
        del dw
        g = self.geometry
        shape = image_shape(g, g.out, g.stride)
        rows = min(g.out[0], max(1, _ROWS // shape[2]))
        needs: dict[str, tuple[int, ...]] = {
            "image": (g.channels, *shape),
            "wide": (4 * _whole_lines(rows * shape[2]) + _LINE,),
        }
        if dx:
            needs |= {f"dx {n}": s for n, s in self._inner.scratch(dx=True, dw=False).items()}
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        self._scratch = scratch
        self._none = np.zeros(self.geometry.outputs, dtype)
        self._wide = _aligned(scratch["wide"])
        self._inner.bind({n[3:]: a for n, a in scratch.items() if n.startswith("dx ")}, dtype)

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Add up tap by tap."""
        image, wide = self._scratch["image"], self._wide
        _forward(x, w, self._none if b is None else b, y, image, wide, *self._sizes)
        if finish is not None:
            step = max(1, (1 << 17) // y[0].size)
            for low in range(0, len(y), step):
                part = y[low : low + step]
                finish(part.reshape(len(part), -1), low)

    def backward(
        self,
        x: Array,
        w: Array,
        dy: Array,
        dx: Array | None,
        dw: Array | None,
        db: Array | None,
        *,
        add_dx: bool = False,
        add_params: bool = False,
    ) -> None:
        """Write dW, sums of products tap by tap."""
        if dw is not None:
            image, wide = self._scratch["image"], self._wide
            if not add_params:
                dw.fill(0)
            _weights(x, dy, dw, image, wide, *self._sizes)
        if db is not None:
            sums(dy, db, add_params)
        if dx is not None:
            self._inner.backward(x, w, dy, dx, None, None, add_dx=add_dx)


def _whole_lines(values: int) -> int:
    return -(-values // _LINE) * _LINE


def _aligned(flat: Array) -> Array:
    """Four rows that each start at a cache line, which halves what storing into them costs."""
    skip = -flat.ctypes.data % (_LINE * flat.itemsize) // flat.itemsize
    rows = (flat.size - _LINE) // 4
    return flat[skip : skip + 4 * rows].reshape(4, rows)


@compiled
def _take(x: Array, image: Array, stride: Pair, pad: Pair) -> None:
    image[:] = x.dtype.type(0)
    high = columns_of(x.shape[1], stride[0], pad[0], image.shape[2])
    across = columns_of(x.shape[2], stride[1], pad[1], image.shape[3] // x.shape[3])
    for c in range(x.shape[0]):
        take_image(x[c], high, across, image[c])


@summing
def _forward(
    x: Array,
    w: Array,
    b: Array,
    y: Array,
    image: Array,
    wide: Array,
    stride: Pair,
    pad: Pair,
    dilation: Pair,
) -> None:
    _take(x, image, stride, pad)
    flat, each, length = image.reshape(-1), image[0].size, image.shape[3]
    outputs, tall, run = y.shape[0], y.shape[1], y.shape[2] * x.shape[3]
    starts = tap_starts(image[0], (w.shape[2], w.shape[3]), stride, dilation, x.shape[3])
    rows = wide.shape[1] // length
    for top in range(0, tall, rows):
        count = min(rows, tall - top)
        size = (count - 1) * length + run
        for o in range(0, outputs, 4):
            for r in range(4):
                wide[r, :size] = b[o + r]
            for low in range(0, size, _TILE):
                some = min(_TILE, size - low)
                for c in range(x.shape[0]):
                    part = flat[c * each + top * length + low :]
                    for i in range(w.shape[2]):
                        j = 0
                        while j < w.shape[3]:
                            at, k = starts[i * w.shape[3] + j :], w[o : o + 4, c, i, j:]
                            left = w.shape[3] - j
                            if left == 5:
                                add5(wide, low, some, part, at, k)
                                j += 5
                            elif left >= 4:
                                add4(wide, low, some, part, at, k)
                                j += 4
                            elif left == 3:
                                add3(wide, low, some, part, at, k)
                                j += 3
                            else:
                                add1(wide, low, some, part, at, k)
                                j += 1
            for r in range(4):
                target = y[o + r].reshape(-1)
                copy_grid(wide[r], 0, (length, 0), target, top * run, (run, 0), (count, 1), run)


@summing
def _weights(
    x: Array,
    dy: Array,
    dw: Array,
    image: Array,
    wide: Array,
    stride: Pair,
    pad: Pair,
    dilation: Pair,
) -> None:
    _take(x, image, stride, pad)
    wide[:] = x.dtype.type(0)
    flat, each, length = image.reshape(-1), image[0].size, image.shape[3]
    outputs, tall, run = dy.shape[0], dy.shape[1], dy.shape[2] * x.shape[3]
    starts = tap_starts(image[0], (dw.shape[2], dw.shape[3]), stride, dilation, x.shape[3])
    rows = wide.shape[1] // length
    for top in range(0, tall, rows):
        count = min(rows, tall - top)
        size = (count - 1) * length + run
        for o in range(0, outputs, 4):
            for r in range(4):
                source = dy[o + r].reshape(-1)
                copy_grid(source, top * run, (run, 0), wide[r], 0, (length, 0), (count, 1), run)
            d0, d1, d2, d3 = wide[0, :size], wide[1, :size], wide[2, :size], wide[3, :size]
            for c in range(x.shape[0]):
                part = flat[c * each + top * length :]
                for i in range(dw.shape[2]):
                    j = 0
                    while j < dw.shape[3]:
                        at, k = starts[i * dw.shape[3] + j :], dw[o : o + 4, c, i, j:]
                        left = dw.shape[3] - j
                        if left == 5:
                            sum5(d0, d1, d2, d3, part, at, k)
                            j += 5
                        elif left >= 4:
                            sum4(d0, d1, d2, d3, part, at, k)
                            j += 4
                        elif left == 3:
                            sum3(d0, d1, d2, d3, part, at, k)
                            j += 3
                        else:
                            sum1(d0, d1, d2, d3, part, at, k)
                            j += 1
