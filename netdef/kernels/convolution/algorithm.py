"""What all ways to compute a convolution have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.kernels.convolution.geometry import Geometry

Array = NDArray[Any]
Scratch = Mapping[str, tuple[int, ...]]
Finish = Callable[[Array, int], None]


class Algorithm(ABC):
    """One way to compute one convolution; made once, then called with arrays again and again.

    All arrays lie in memory without gaps, in the layout that the class names. Only `scratch`
    holds values in between, and nothing in it outlives a call but what is held.

    Attributes:
        name: as a plan prints it.
        holds: what it makes of weights is `held` from call to call: `take_weights` is called for
            it whenever they have changed. Otherwise every call makes it anew.
    """

    name: str = ""
    holds: bool = False

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self._scratch: Mapping[str, Array] = {}

    @abstractmethod
    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """Shapes of the arrays it works in.

        Args:
            dx: whether gradients of the input will be wanted.
            dw: whether gradients of the weights will be wanted.
        """

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays, and make what every call can use again."""
        del dtype
        self._scratch = scratch

    def held(self, *, bias: bool) -> tuple[str, ...]:
        """Names of the scratch arrays that `take_weights` fills.

        Args:
            bias: whether there is one.
        """
        del bias
        return ()

    def take_weights(self, w: Array, b: Array | None) -> None:
        """Make of weights and bias what passes forward need of them; arguments as of `forward`."""
        del w, b

    @abstractmethod
    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Write the outputs: y = w * x + b.

        Args:
            x: input.
            w: weights, (outputs, channels / group, *kernel).
            b: bias; None for none.
            y: output.
            finish: called with each block of outputs that is complete, while it is in cache,
                to change it in place: (…, channels, values), and the first channel.
        """

    @abstractmethod
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
        """Write the gradients that are given an array.

        Args:
            x: input.
            w: weights, (outputs, channels / group, *kernel).
            dy: gradient of the output, read only.
            dx: gradient of the input; None where nobody wants it.
            dw: gradient of the weights.
            db: gradient of the bias.
            add_dx: add to what dx holds.
            add_params: add to what dw and db hold.
        """


def add_row_sums(matrix: Array, ones: Array, rows: Array, out: Array, *, add: bool) -> None:
    """Sum each row of a matrix: `matrix @ ones` is twice as fast as `matrix.sum(1)`.

    Args:
        matrix: (rows, columns).
        ones: at least as many as columns.
        rows: scratch for the sums.
        out: where they go.
        add: to what is there.
    """
    ones = ones[: matrix.shape[1]]
    if add:
        np.matmul(matrix, ones, out=rows)
        np.add(out, rows, out=out)
    else:
        np.matmul(matrix, ones, out=out)


def finish_groups(part: Array, finish: Finish | None) -> None:
    """Finish a block of (groups, channels of a group, values)."""
    if finish is not None:
        for group, channels in enumerate(part):
            finish(channels, group * len(channels))
