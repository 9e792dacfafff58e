"""Convolution of any number of spatial axes, image by image in Caffe's own order."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Algorithm, Array, Finish, Scratch, add_row_sums
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.matrix import as_rows


class Plain(Algorithm):
    """(N, C, ...): all axes before the channels count as batch."""

    name = "plain"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        g = geometry
        self._padded = tuple(s + 2 * p for s, p in zip(g.size, g.pad, strict=True))
        self._inner = (
            slice(None),
            *(slice(p, p + s) for s, p in zip(g.size, g.pad, strict=True)),
        )

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """One padded image and its columns."""
        g = self.geometry
        needs: dict[str, tuple[int, ...]] = {
            "image": (g.channels, *self._padded),
            "columns": (g.channels, *g.kernel, *g.out),
        }
        if dw:
            needs["dw"] = (g.group, g.outputs // g.group, g.fan_in)
            needs["db"] = (g.outputs,)
        return needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays and look at the padded image through the kernel."""
        g = self.geometry
        self._scratch = scratch
        self._ones = np.ones(prod(g.out), dtype)
        by_channel, *by_axis = scratch["image"].strides
        strides = (
            by_channel,
            *(a * d for a, d in zip(by_axis, g.dilation, strict=True)),
            *(a * s for a, s in zip(by_axis, g.stride, strict=True)),
        )
        self._windows = as_strided(scratch["image"], scratch["columns"].shape, strides)

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Y = W @ columns + b, for each image."""
        g = self.geometry
        weights = w.reshape(g.group, g.outputs // g.group, g.fan_in)
        images, outputs = self._images(x), as_rows(y, g.batch, g.outputs)
        self._scratch["image"].fill(0)
        for image, output in zip(images, outputs, strict=True):
            self._scratch["image"][self._inner] = image
            np.copyto(self._scratch["columns"], self._windows)
            np.matmul(weights, self._columns(), out=as_rows(output, g.group, g.outputs // g.group))
            if b is not None:
                np.add(output, b[:, None], out=output)
            if finish is not None:
                finish(output, 0)

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
        """Write dW = dY @ columns^T and W^T @ dY put back into dX, for each image."""
        g = self.geometry
        turned = w.reshape(g.group, g.outputs // g.group, g.fan_in).transpose(0, 2, 1)
        images, dys = self._images(x), as_rows(dy, g.batch, g.outputs)
        if dw is not None:
            target = dw.reshape(g.group, g.outputs // g.group, g.fan_in)
            self._scratch["image"].fill(0)
            for index, (image, rows) in enumerate(zip(images, dys, strict=True)):
                self._scratch["image"][self._inner] = image
                np.copyto(self._scratch["columns"], self._windows)
                columns = self._columns().transpose(0, 2, 1)
                add = add_params or index > 0
                outputs = as_rows(rows, g.group, g.outputs // g.group)
                np.matmul(outputs, columns, out=self._scratch["dw"] if add else target)
                if add:
                    np.add(target, self._scratch["dw"], out=target)
        if db is not None:
            for index, rows in enumerate(dys):
                add = add_params or index > 0
                add_row_sums(rows, self._ones, self._scratch["db"], db, add=add)
        if dx is not None:
            for image, rows in zip(self._images(dx), dys, strict=True):
                outputs = as_rows(rows, g.group, g.outputs // g.group)
                np.matmul(turned, outputs, out=self._columns())
                self._scatter()
                if add_dx:
                    np.add(image, self._scratch["image"][self._inner], out=image)
                else:
                    np.copyto(image, self._scratch["image"][self._inner])

    def _images(self, x: Array) -> Array:
        return x.reshape(self.geometry.batch, self.geometry.channels, *self.geometry.size)

    def _columns(self) -> Array:
        """The columns as matrices: (group, fan_in, positions)."""
        return as_rows(self._scratch["columns"], self.geometry.group, self.geometry.fan_in)

    def _scatter(self) -> None:
        """Add the columns' gradients up in the padded image."""
        self._scratch["image"].fill(0)
        for tap in np.ndindex(self.geometry.kernel):
            target = self._windows[(slice(None), *tap)]
            np.add(target, self._scratch["columns"][(slice(None), *tap)], out=target)
