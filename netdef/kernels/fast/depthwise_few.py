"""Depthwise 3×3 convolution of few images, forward, a channel at a time as it lies in memory.

With few images the runs that follow each other are short. At stride 1 all rows of a channel are
one run: a tap is the same distance away everywhere, and what it meets beyond the edge of a row,
in the row beside, is left out by computing the first and the last column again by themselves.
At stride 2 the even and the odd columns of a channel are two such runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.convolution.algorithm import Array, Finish, Scratch
from netdef.kernels.convolution.depthwise import Depthwise
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.fast.jit import inlined_summing, summing

_BLOCK = 1 << 17
"""Values of a block of the output that is finished while it is in cache."""

_MOST = 3
"""Images up to which it beats a copy of each channel with its padding."""

_ONE = np.uint64(1)

Pair = tuple[int, ...]  # height and width
Weights = tuple[float, ...]


class FewDepthwise(Depthwise):
    """CHWN; 3×3 with one value of padding, an output for each channel.

    At stride 1, and for one image of even width at stride 2. Backward is NumPy's.

    Accuracy: that of plain sums over the kernel's taps, relative L2 error about 1e-7.
    """

    name = "depthwise, compiled"

    @classmethod
    def fits(cls, geometry: Geometry) -> bool:
        """Whether it can compute this convolution."""
        g = geometry
        return (
            super().fits(g)
            and g.outputs == g.channels
            and g.kernel == (3, 3)
            and (g.stride == (1, 1) or (g.stride == (2, 2) and g.batch == 1 and g.size[1] % 2 == 0))
            and g.pad == g.dilation == (1, 1)
            and min(g.size) > 2
        )

    @classmethod
    def pays(cls, geometry: Geometry) -> bool:
        """Whether it beats the others, where no gradient is wanted."""
        return cls.fits(geometry) and geometry.batch <= _MOST

    def scratch(self, *, dx: bool, dw: bool) -> Scratch:
        """Forward an image that is taken apart."""
        g = self.geometry
        needs = {"split": (3, g.size[0] * g.size[1] // 2 if g.stride[1] == 2 else 0)}
        return {**super().scratch(dx=dx, dw=dw), **needs} if dx or dw else needs

    def bind(self, scratch: Mapping[str, Array], dtype: DTypeLike) -> None:
        """Take the scratch arrays."""
        super().bind(scratch, dtype)
        self._none = np.zeros(self.geometry.outputs, dtype)
        self._edges = _edge_places(self.geometry)

    def forward(
        self, x: Array, w: Array, b: Array | None, y: Array, finish: Finish | None = None
    ) -> None:
        """Compute a block of channels, then finish it."""
        g = self.geometry
        bias = self._none if b is None else b
        weights, values = w.reshape(g.channels, 9), g.out[0] * g.out[1] * g.batch
        step = max(1, _BLOCK // values) if finish is not None else g.channels
        split, (edges, ends) = self._scratch["split"], self._edges
        for low in range(0, g.channels, step):
            some = slice(low, low + step)
            part, xs = y[some], x[some].reshape(-1)
            ys, sizes = part.reshape(-1), (g.size, g.out)
            _forward(xs, weights[some], bias[some], ys, split, edges, ends, sizes, g.batch)
            if finish is not None:
                finish(part.reshape(len(part), -1), low)


def _edge_places(g: Geometry) -> tuple[Array, tuple[np.uint64, ...]]:
    """Outputs that do not see all taps, of one channel.

    Returns:
        Where each lies and what its first tap on the image meets, (outputs, 2); and where in that
        those of each kind end: upper edge, lower, left, right, then corners, the upper ones first.
    """
    (tall, wide), n = g.out, g.batch
    middle = (
        range(1, (g.size[0] - 2) // g.stride[0] + 1),
        range(1, (g.size[1] - 2) // g.stride[1] + 1),
    )
    bottom, right = range(len(middle[0]) + 1, tall), range(len(middle[1]) + 1, wide)
    first = range(1)
    kinds = [
        product(first, middle[1]),
        product(bottom, middle[1]),
        product(middle[0], first),
        product(middle[0], right),
        product(first, first),
        product(first, right),
        product(bottom, first),
        product(bottom, right),
    ]
    found, ends = [], []
    for kind in kinds:
        for h, w in kind:
            row, column = (max(0, i * s - 1) for i, s in zip((h, w), g.stride, strict=True))
            place, at = (h * wide + w) * n, (row * g.size[1] + column) * n
            found += [(place + i, at + i) for i in range(n)]
        ends.append(np.uint64(len(found)))
    return np.array(found, np.uint64), tuple(ends)


# Places are unsigned: an index that might be negative keeps a loop from being one of vector
# instructions, and slices of arrays, which would do as well, cost more than a short row.


@inlined_summing
def _nine(
    x: Array,
    at: np.uint64,
    down: np.uint64,
    apart: np.uint64,
    k: Weights,
    bias: float,
    y: Array,
    to: np.uint64,
    count: np.uint64,
) -> None:
    """Outputs that follow each other and see all taps, as what each tap meets follows, too.

    Args:
        x: flat.
        at: what the first tap of the first output meets.
        down: from one row of the input to the next.
        apart: from one column to the next: images.
        k: the nine weights.
        bias: is added.
        y: flat.
        to: the first output.
        count: outputs.
    """
    a0, b0, c0 = at, at + down, at + down + down
    a1, b1, c1 = a0 + apart, b0 + apart, c0 + apart
    a2, b2, c2 = a1 + apart, b1 + apart, c1 + apart
    for n in range(count):
        top = k[0] * x[a0 + n] + k[1] * x[a1 + n] + k[2] * x[a2 + n]
        middle = k[3] * x[b0 + n] + k[4] * x[b1 + n] + k[5] * x[b2 + n]
        bottom = k[6] * x[c0 + n] + k[7] * x[c1 + n] + k[8] * x[c2 + n]
        y[to + n] = top + middle + bottom + bias


@inlined_summing
def _split(
    x: Array, base: int, size: Pair, k: Weights, bias: float, y: Array, to: int, scratch: Array
) -> None:
    """Outputs of one image at stride 2, but those at an edge: long runs, half of them wasted.

    Args:
        x: flat.
        base: where the image starts.
        size: of the image; the width is even.
        k: the nine weights.
        bias: is added.
        y: flat.
        to: where the output starts.
        scratch: (3, h * w / 2): the even columns, the odd ones, and outputs for every row.
    """
    even, odd, made = scratch[0], scratch[1], scratch[2]
    at = np.uint64(base)
    for n in range(np.uint64(even.size)):
        m = at + n + n
        even[n] = x[m]
        odd[n] = x[m + _ONE]
    row = np.uint64(size[1] // 2)
    inside = (size[0] - 2) // 2
    # from the second output of row 2 on
    above = row
    here, below = above + row, above + row + row
    for n in range(np.uint64(_ONE), np.uint64((2 * inside - 1) * (size[1] // 2))):
        before = n - _ONE
        top = k[0] * odd[above + before] + k[1] * even[above + n] + k[2] * odd[above + n]
        middle = k[3] * odd[here + before] + k[4] * even[here + n] + k[5] * odd[here + n]
        bottom = k[6] * odd[below + before] + k[7] * even[below + n] + k[8] * odd[below + n]
        made[n] = top + middle + bottom + bias
    for h in range(inside):
        source, target = np.uint64(h) * (row + row), np.uint64(to) + np.uint64(h + 1) * row
        for n in range(_ONE, row):
            y[target + n] = made[source + n]


@inlined_summing
def _six(
    x: Array,
    first: np.uint64,
    second: np.uint64,
    apart: np.uint64,
    k: Weights,
    bias: float,
) -> float:
    """An output at an edge, which sees two lines of three taps each, as far apart."""
    one = k[0] * x[first] + k[1] * x[first + apart] + k[2] * x[first + apart + apart]
    other = k[3] * x[second] + k[4] * x[second + apart] + k[5] * x[second + apart + apart]
    total: float = one + other + bias
    return total


@inlined_summing
def _four(
    x: Array, at: np.uint64, down: np.uint64, apart: np.uint64, k: Weights, bias: float
) -> float:
    """An output in a corner, which sees two lines of two taps each."""
    below = at + down
    top = k[0] * x[at] + k[1] * x[at + apart]
    total: float = top + k[2] * x[below] + k[3] * x[below + apart] + bias
    return total


@inlined_summing
def _edges(
    x: Array,
    base: np.uint64,
    k: Weights,
    bias: float,
    y: Array,
    to: np.uint64,
    edges: Array,
    ends: tuple[np.uint64, ...],
    line: np.uint64,
    apart: np.uint64,
) -> None:
    """Outputs that do not see all taps: first those of the upper edge, and so on.

    Places are looked up: so few outputs are slower as vectors, with all that must be made sure of
    before, and what is looked up is left alone.
    """
    six = (k[3], k[4], k[5], k[6], k[7], k[8])
    for e in range(ends[0]):
        at = base + edges[e, 1]
        y[to + edges[e, 0]] = _six(x, at, at + line, apart, six, bias)
    six = (k[0], k[1], k[2], k[3], k[4], k[5])
    for e in range(ends[0], ends[1]):
        at = base + edges[e, 1]
        y[to + edges[e, 0]] = _six(x, at, at + line, apart, six, bias)
    six = (k[1], k[4], k[7], k[2], k[5], k[8])
    for e in range(ends[1], ends[2]):
        at = base + edges[e, 1]
        y[to + edges[e, 0]] = _six(x, at, at + apart, line, six, bias)
    six = (k[0], k[3], k[6], k[1], k[4], k[7])
    for e in range(ends[2], ends[3]):
        at = base + edges[e, 1]
        y[to + edges[e, 0]] = _six(x, at, at + apart, line, six, bias)
    four = (k[4], k[5], k[7], k[8])
    for e in range(ends[3], ends[4]):
        y[to + edges[e, 0]] = _four(x, base + edges[e, 1], line, apart, four, bias)
    four = (k[3], k[4], k[6], k[7])
    for e in range(ends[4], ends[5]):
        y[to + edges[e, 0]] = _four(x, base + edges[e, 1], line, apart, four, bias)
    four = (k[1], k[2], k[4], k[5])
    for e in range(ends[5], ends[6]):
        y[to + edges[e, 0]] = _four(x, base + edges[e, 1], line, apart, four, bias)
    four = (k[0], k[1], k[3], k[4])
    for e in range(ends[6], ends[7]):
        y[to + edges[e, 0]] = _four(x, base + edges[e, 1], line, apart, four, bias)


@summing
def _forward(
    x: Array,
    w: Array,
    b: Array,
    y: Array,
    scratch: Array,
    edges: Array,
    ends: tuple[np.uint64, ...],
    sizes: tuple[Pair, Pair],
    n: int,
) -> None:
    """All of some channels.

    Args:
        x: flat.
        w: (channels, 9).
        b: (channels,).
        y: flat.
        scratch: as of `_split`; empty at stride 1.
        edges: as from `_edge_places`.
        ends: likewise.
        sizes: (h, w) of the input, and of the output.
        n: images.
    """
    size, out = sizes
    line, row = size[1] * n, out[1] * n
    down, apart = np.uint64(line), np.uint64(n)
    whole = np.uint64((size[0] - 2) * line - 2 * n)
    for c in range(w.shape[0]):
        base, to = c * size[0] * line, c * out[0] * row
        top, middle = (w[c, 0], w[c, 1], w[c, 2]), (w[c, 3], w[c, 4], w[c, 5])
        k, bias = (*top, *middle, w[c, 6], w[c, 7], w[c, 8]), b[c]
        if scratch.size:
            _split(x, base, size, k, bias, y, to, scratch)
        else:
            place = np.uint64(to + row + n)
            _nine(x, np.uint64(base), down, apart, k, bias, y, place, whole)
        _edges(x, np.uint64(base), k, bias, y, np.uint64(to), edges, ends, down, apart)
