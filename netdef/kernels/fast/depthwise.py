"""Convolution where each output sees one channel, channel by channel in cache.

A channel is copied with its padding, so that the values which a tap meets follow each other
whatever the stride; then all of a channel's output is one sum of products of long runs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm, Array, Finish, Scratch
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.fast.jit import compiled, summing
from netdef.kernels.fast.rows import columns_of, copy_grid, put_image, take_image

_BLOCK = 1 << 17
"""Values of a block of the output that is finished while it is in cache."""

_FEWEST = 4
"""Images from which on it pays to copy them side by side."""

Pair = tuple[int, ...]  # height and width


class FastDepthwise(Algorithm):
    """CHWN; as many groups as channels, any number of outputs for each.

    Accuracy: that of plain sums over the kernel's taps, relative L2 error about 1e-7.
    """

    name = "depthwise, compiled"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g = geometry
        self._sizes = g.stride, g.pad, g.dilation
        reach = [d * (k - 1) for d, k in zip(g.dilation, g.kernel, strict=True)]
        # of the output's gradient, where it is seen through turned weights
        self._back = (1, 1), (reach[0] - g.pad[0], reach[1] - g.pad[1]), g.dilation
        self._turns = max(g.stride) == 1 and min(self._back[1]) >= 0

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        g = geometry
        return len(g.size) == 2 and g.group == g.channels and g.batch > 0

    @classmethod
    def pays(cls, geometry: Geometry) -> bool:
        """Whether it beats NumPy: at a larger stride images that lie side by side are copied."""
        g = geometry
        return cls.fits(g) and (max(g.stride) == 1 or g.batch >= _FEWEST)

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """A channel with its padding; one of the gradient; weights turned around."""
        g = self.geometry
        wide = image_shape(g, g.out, g.stride)
        needs: dict[str, tuple[int, ...]] = {"image": wide, "row": wide[1:]}
        if dx and self._turns:
            needs["gradient"] = gradient = image_shape(g, g.size, (1, 1))
            needs["row"] = max(wide[1:], gradient[1:])
            needs["turned"] = (g.outputs, *g.kernel)
        del dw
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        self._scratch = scratch
        self._none = np.zeros(self.geometry.outputs, dtype)

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Compute a block of channels, then finish it."""
        g = self.geometry
        many = g.outputs // g.channels
        each = max(1, _BLOCK // (many * g.out[0] * g.out[1] * g.batch))
        bias = self._none if b is None else b
        image, row = self._scratch["image"], self._scratch["row"]
        step = each if finish is not None else g.channels
        for low in range(0, g.channels, step):
            some, outputs = slice(low, low + step), slice(low * many, (low + step) * many)
            _forward(x[some], w[outputs, 0], bias[outputs], y[outputs], image, row, *self._sizes)
            if finish is not None:
                part = y[outputs]
                finish(part.reshape(len(part), -1), low * many)

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
        """dW: products of dY with the columns of X; dX: turned weights, or shares handed back."""
        image, row = self._scratch["image"], self._scratch["row"]
        if dw is not None:
            _weights(x, dy, dw[:, 0], image, row, *self._sizes, add_params)
        if db is not None:
            sums(dy, db, add_params)
        if dx is None:
            return
        if self._turns and not add_dx and self.geometry.outputs == self.geometry.channels:
            gradient, turned = self._scratch["gradient"], self._scratch["turned"]
            np.copyto(turned, w[:, 0, ::-1, ::-1])
            _forward(dy, turned, self._none, dx, gradient, row, *self._back)
        else:
            _give_back(dy, w[:, 0], dx, image, row, *self._sizes, add_dx)


def image_shape(g: Geometry, out: Pair, stride: Pair) -> tuple[int, int, int]:
    """Shape of a channel with its padding: (stride_h * stride_w, rows, columns * n)."""
    tall, wide = (d * (k - 1) for d, k in zip(g.dilation, g.kernel, strict=True))
    rows, columns = out[0] + tall // stride[0], out[1] + wide // stride[1]
    return stride[0] * stride[1], rows, columns * g.batch


@compiled
def tap_starts(image: Array, kernel: Pair, stride: Pair, dilation: Pair, batch: int) -> Array:
    """Where the values that each tap meets start in the flat image."""
    _, rows, length = image.shape
    found = np.empty(kernel[0] * kernel[1], np.int64)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            h, w = i * dilation[0], j * dilation[1]
            phase = h % stride[0] * stride[1] + w % stride[1]
            place = (phase * rows + h // stride[0]) * length + w // stride[1] * batch
            found[i * kernel[1] + j] = place
    return found


@summing
def _forward(
    x: Array,
    w: Array,
    b: Array,
    y: Array,
    image: Array,
    row: Array,
    stride: Pair,
    pad: Pair,
    dilation: Pair,
) -> None:
    none = x.dtype.type(0)
    image[:] = none
    flat, length, batch = image.reshape(-1), image.shape[2], x.shape[3]
    high = columns_of(x.shape[1], stride[0], pad[0], image.shape[1])
    across = columns_of(x.shape[2], stride[1], pad[1], length // batch)
    many, tall, run = y.shape[0] // x.shape[0], y.shape[1], y.shape[2] * batch
    # all rows at once, and what lies between them, which is left out afterwards
    size = (tall - 1) * length + run
    wide = row.reshape(-1)[:size]
    starts = tap_starts(image, (w.shape[1], w.shape[2]), stride, dilation, batch)
    for c in range(x.shape[0]):
        take_image(x[c], high, across, image)
        for o in range(c * many, (c + 1) * many):
            k = w[o].reshape(-1)
            if k.size == 9:
                k0, k1, k2, k3, k4, k5, k6, k7, k8 = (
                    k[0],
                    k[1],
                    k[2],
                    k[3],
                    k[4],
                    k[5],
                    k[6],
                    k[7],
                    k[8],
                )
                x0, x1, x2 = flat[starts[0] :], flat[starts[1] :], flat[starts[2] :]
                x3, x4, x5 = flat[starts[3] :], flat[starts[4] :], flat[starts[5] :]
                x6, x7, x8 = flat[starts[6] :], flat[starts[7] :], flat[starts[8] :]
                for n in range(size):
                    top = k0 * x0[n] + k1 * x1[n] + k2 * x2[n]
                    middle = k3 * x3[n] + k4 * x4[n] + k5 * x5[n]
                    bottom = k6 * x6[n] + k7 * x7[n] + k8 * x8[n]
                    wide[n] = top + middle + bottom
            else:
                wide[:] = none
                for tap in range(k.size):
                    factor, part = k[tap], flat[starts[tap] :]
                    for n in range(size):
                        wide[n] += factor * part[n]
            bias = b[o]
            ys = y[o].reshape(-1)
            for h in range(tall):
                part, source = ys[h * run : (h + 1) * run], wide[h * length : h * length + run]
                for n in range(run):
                    part[n] = source[n] + bias


@summing
def _weights(
    x: Array,
    dy: Array,
    dw: Array,
    image: Array,
    row: Array,
    stride: Pair,
    pad: Pair,
    dilation: Pair,
    add: bool,
) -> None:
    none = x.dtype.type(0)
    image[:] = none
    row[:] = none
    flat, length, batch = image.reshape(-1), image.shape[2], x.shape[3]
    high = columns_of(x.shape[1], stride[0], pad[0], image.shape[1])
    across = columns_of(x.shape[2], stride[1], pad[1], length // batch)
    many, tall = dy.shape[0] // x.shape[0], dy.shape[1]
    run = dy.shape[2] * batch
    size = (tall - 1) * length + run
    wide = row.reshape(-1)[:size]
    starts = tap_starts(image, (dw.shape[1], dw.shape[2]), stride, dilation, batch)
    for c in range(x.shape[0]):
        take_image(x[c], high, across, image)
        for o in range(c * many, (c + 1) * many):
            ds = dy[o].reshape(-1)
            copy_grid(ds, 0, (run, 0), wide, 0, (length, 0), (tall, 1), run)
            if not add:
                dw[o] = none
            for i in range(dw.shape[1]):
                if dw.shape[2] == 3:
                    s0 = s1 = s2 = none
                    x0, x1 = flat[starts[3 * i] :], flat[starts[3 * i + 1] :]
                    x2 = flat[starts[3 * i + 2] :]
                    for n in range(size):
                        s0 += wide[n] * x0[n]
                        s1 += wide[n] * x1[n]
                        s2 += wide[n] * x2[n]
                    dw[o, i, 0] += s0
                    dw[o, i, 1] += s1
                    dw[o, i, 2] += s2
                    continue
                for j in range(dw.shape[2]):
                    part = flat[starts[i * dw.shape[2] + j] :]
                    total = none
                    for n in range(size):
                        total += wide[n] * part[n]
                    dw[o, i, j] += total


@summing
def sums(dy: Array, db: Array, add: bool) -> None:
    """Write the sums of all values of an output, or add them."""
    for o in range(dy.shape[0]):
        ds = dy[o].reshape(-1)
        total = dy.dtype.type(0)
        for n in range(ds.size):
            total += ds[n]
        db[o] = db[o] + total if add else total


@summing
def _give_back(
    dy: Array,
    w: Array,
    dx: Array,
    image: Array,
    row: Array,
    stride: Pair,
    pad: Pair,
    dilation: Pair,
    add: bool,
) -> None:
    none = dx.dtype.type(0)
    row[:] = none
    flat, length, batch = image.reshape(-1), image.shape[2], dx.shape[3]
    high = columns_of(dx.shape[1], stride[0], pad[0], image.shape[1])
    across = columns_of(dx.shape[2], stride[1], pad[1], length // batch)
    many, tall = dy.shape[0] // dx.shape[0], dy.shape[1]
    run = dy.shape[2] * batch
    size = (tall - 1) * length + run
    wide = row.reshape(-1)[:size]
    starts = tap_starts(image, (w.shape[1], w.shape[2]), stride, dilation, batch)
    for c in range(dx.shape[0]):
        image[:] = none
        for o in range(c * many, (c + 1) * many):
            ds = dy[o].reshape(-1)
            copy_grid(ds, 0, (run, 0), wide, 0, (length, 0), (tall, 1), run)
            k = w[o].reshape(-1)
            for tap in range(k.size):
                factor, part = k[tap], flat[starts[tap] : starts[tap] + size]
                for n in range(size):
                    part[n] += factor * wide[n]
        put_image(image, high, across, dx[c], add)
