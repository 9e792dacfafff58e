"""BatchReindex: choose examples of a batch by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from netdef.diag import BottomError
from netdef.kernels.rows import add_back, pick
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.indices import read_indices


@base.layer("BatchReindex")
@dataclass(frozen=True, slots=True)
class BatchReindex(base.Layer[None]):
    """Put together a batch of examples of another one: left out, repeated, in any order.

    Formula:
        y[k] = x[i[k]]
    Bottoms:
        x: (n, ...)
        i: (m,) numbers of examples as floats, 0 to n - 1
    Tops:
        y: (m, ...)
    Cost:
        a copy
    Source:
        caffe/src/caffe/layers/batch_reindex_layer.cpp
    Differs from Caffe:
        A number that is not whole is refused; Caffe rounds it towards zero.

    Example:
        >>> BatchReindex().shapes(((4, 2, 3), (5,)))
        ((5, 2, 3),)
    """

    bottom_count = (2, 2)
    no_gradient = (1,)
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """An example for each number.

        Raises:
            BottomError: the first has no axis, or the second not one.
        """
        x, i = bottoms
        if not x:
            raise BottomError(0, "is a scalar, without an axis of examples")
        if len(i) != 1:
            raise BottomError(
                1,
                f"is {show(i)}, needs 1 axis: numbers of examples",
                "a Reshape layer with `shape { dim: -1 }` makes one axis of all",
            )
        return ((i[0], *x[1:]),)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The numbers as integers."""
        return {"index": base.Buffer(site.bottoms[1], np.intp, saved=site.backward)}

    def forward(self, run: base.Forward[None]) -> None:
        """Copy examples.

        Raises:
            BottomError: there is no example of such a number.
        """
        index, x = run.buffer("index"), run.bottom(0)
        read_indices(run.bottom(1), len(x), 1, "examples are counted from 0", index)
        pick(_examples(x), index, _examples(run.top(0)))

    def backward(self, run: base.Backward[None]) -> None:
        """An example gets the gradients of all its copies."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        if not run.adds(0):
            dx.fill(0)
        add_back(_examples(run.top_diff(0)), run.buffer("index"), _examples(dx))


def _examples(array: base.Array) -> base.Array:
    """One row for each example."""
    return array.reshape(len(array), prod(array.shape[1:]))
