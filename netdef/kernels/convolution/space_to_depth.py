"""Strided convolution as one at stride 1 over the image's phases taken as channels.

Pixels that lie a stride apart become neighbours in a channel of their own, so an 11 × 11 kernel
at stride 4 over 3 channels is a 3 × 3 kernel over 48, which Winograd computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm, Array, Finish, Scratch, add_row_sums
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.windows import Copies, Kept, Pair, axis, gather, scatter, widened
from netdef.kernels.convolution.winograd import Winograd, WinogradF2, WinogradF4, WinogradF5
from netdef.kernels.matrix import as_rows

_INNER = "inner "
"""Before the names of scratch arrays that are the inner convolution's."""


class SpaceToDepth(Algorithm):
    """CHWN; square kernels at one stride along both axes. A subclass names its `inner`.

    Accuracy: that of the inner algorithm.

    Attributes:
        inner: computes the convolution at stride 1.
    """

    inner: ClassVar[type[Winograd]]

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g = geometry
        self._stride = g.stride[0]
        self._inner = self.inner(within(g))
        self._inner.holds = True  # `take_weights` here calls the inner one's
        size = self._inner.geometry.size
        s = self._stride
        tall, wide = (axis(g.size[i], size[i], s, s, g.pad[i]) for i in range(2))
        self._over = tall, wide

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        g = geometry
        square = len(g.kernel) == 2 and g.kernel[0] == g.kernel[1] and g.stride[0] == g.stride[1]
        strided = 1 < g.stride[0] < g.kernel[0] and all(d == 1 for d in g.dilation)
        return square and strided and cls.inner.fits(within(g))

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """The image and the weights as channels of phases, and what the inner one works in."""
        inner = self._inner.geometry
        image = (inner.channels, *inner.size, inner.batch)
        weights = (inner.outputs, inner.channels // inner.group, *inner.kernel)
        needs: dict[str, tuple[int, ...]] = {"image": image, "weights": weights}
        if dx:
            needs["dimage"] = image
        if dw:
            needs["dweights"] = weights
        needs |= {_INNER + k: v for k, v in self._inner.scratch(dx=dx, dw=dw).items()}
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        self._scratch = scratch
        inside = {k.removeprefix(_INNER): v for k, v in scratch.items() if k.startswith(_INNER)}
        self._inner.bind(inside, dtype)
        self._ones = np.ones(prod(self.geometry.out) * self.geometry.batch, dtype)
        self._x_copies: Kept[Copies] = Kept()
        self._dx_pairs: Kept[list[Pair]] = Kept()

    def held(self, *, bias: bool) -> tuple[str, ...]:
        """What the inner one holds."""
        return tuple(_INNER + name for name in self._inner.held(bias=bias))

    def take_weights(self, w: Array, b: Array | None) -> None:
        """Rearrange the weights, and let the inner one take them."""
        weights = self._scratch["weights"]
        weights.fill(0)  # where the stride does not divide the kernel
        for place, phase in self._phases(weights):
            np.copyto(phase, w[(..., *place)])
        self._inner.take_weights(weights, b)

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Rearrange image and weights, then convolve."""
        self._x_copies.get(x, self._gather).run()
        if not self.holds:
            self.take_weights(w, b)
        self._inner.forward(self._scratch["image"], self._scratch["weights"], b, y, finish)

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
        """Gradients of the rearranged arrays, brought back to their places."""
        if dw is not None:
            self._x_copies.get(x, self._gather).run()
        if dx is not None and not self.holds:
            self.take_weights(w, None)
        self._inner.backward(
            self._scratch["image"],
            self._scratch["weights"],
            dy,
            None if dx is None else self._scratch["dimage"],
            None if dw is None else self._scratch["dweights"],
            None,
        )
        if db is not None:
            rows = as_rows(dy, self.geometry.outputs)
            sums = self._scratch.get(_INNER + "db", db)
            add_row_sums(rows, self._ones, sums, db, add=add_params)
        if dw is not None:
            for place, phase in self._phases(self._scratch["dweights"]):
                target = dw[(..., *place)]
                if add_params:
                    np.add(target, phase, out=target)
                else:
                    np.copyto(target, phase)
        if dx is not None:
            if not add_dx:
                dx.fill(0)  # pixels that no kernel reaches
            for target, source in self._dx_pairs.get(dx, self._scatter):
                if add_dx:
                    np.add(target, source, out=target)
                else:
                    np.copyto(*widened(target, source))

    def _windows(self, name: str) -> Array:
        """The phases of an image, (c, phase_h, phase_w, rows, w, n)."""
        array, s = self._scratch[name], self._stride
        return array.reshape(self.geometry.channels, s, s, *array.shape[1:])

    def _rows(self) -> tuple[int, int]:
        return 0, self._inner.geometry.size[0]

    def _gather(self, x: Array) -> Copies:
        return gather(self._over, self._rows(), x, self._windows("image"))

    def _scatter(self, dx: Array) -> list[Pair]:
        return scatter(self._over, self._rows(), dx, self._windows("dimage"))

    def _phases(self, weights: Array) -> list[tuple[tuple[slice, slice], Array]]:
        """Which taps of the kernel lie in each phase, and where those are in `weights`."""
        s, r = self._stride, self.geometry.kernel[0]
        by_phase = weights.reshape(weights.shape[0], -1, s, s, *weights.shape[2:])
        found = []
        for i in range(s):
            for j in range(s):
                tall, wide = len(range(i, r, s)), len(range(j, r, s))
                place = (slice(i, None, s), slice(j, None, s))
                found.append((place, by_phase[:, :, i, j, :tall, :wide]))
        return found


def within(g: Geometry) -> Geometry:
    """The convolution at stride 1 that is left."""
    s = g.stride[0]
    kernel = tuple(-(-k // s) for k in g.kernel)
    return replace(
        g,
        channels=g.channels * s * s,
        size=tuple(out + k - 1 for out, k in zip(g.out, kernel, strict=True)),
        kernel=kernel,
        stride=(1, 1),
        pad=(0, 0),
    )


class SpaceToDepthF2(SpaceToDepth):
    """Then Winograd with tiles of 2 × 2 outputs."""

    name = "space to depth, winograd F(2)"
    inner = WinogradF2


class SpaceToDepthF4(SpaceToDepth):
    """Then Winograd with tiles of 4 × 4 outputs."""

    name = "space to depth, winograd F(4)"
    inner = WinogradF4


class SpaceToDepthF5(SpaceToDepth):
    """Then Winograd with tiles of 5 × 5 outputs."""

    name = "space to depth, winograd F(5)"
    inner = WinogradF5
