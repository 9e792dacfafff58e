"""Winograd's matrices: convolution of short signals through values at chosen points.

The product of two polynomials is known from its values at enough points, so m outputs of a
kernel with r taps take n = m + r - 1 products in place of m * r:

    y = A^T [(G w) * (B^T d)]

Source:
    A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015,
    arXiv:1509.09308. The construction is Toom's and Cook's.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

POINTS: dict[int, tuple[float, ...]] = {
    4: (0, 1, -1),
    6: (0, 0.625, -0.625, 1.5, -1.5),
    7: (0, 0.875, -0.875, 1.75, -1.75, 0.375),
    8: (0, 1, -1, 2, -2, 0.5, -0.5),
}
"""Where the polynomials are evaluated, infinity besides, by n.

Matrix products take the same time whatever the numbers are, so the points can be those with the
smallest errors, found by random search. For n = 6, 5/8 and 3/2 give half the error of the usual 1
and 2. Two that differ in sign share their sums where transforms are compiled.
"""

_PARTS = 2**20


class Matrices(NamedTuple):
    """Matrices along one axis of a tile.

    Attributes:
        output: A^T, (m, n).
        weight: G, (n, r).
        input: B^T, (n, n).
    """

    output: Array
    weight: Array
    input: Array


class Transforms(NamedTuple):
    """Matrices for square tiles as vectors, Kronecker products of those for one axis.

    Attributes:
        output: A^T, (m * m, n * n).
        weight: G, (n * n, r * r).
        input: B^T, (n * n, n * n).
    """

    output: Array
    weight: Array
    input: Array


def transforms(m: int, r: int) -> Transforms:
    """Matrices in float64 for tiles of m × m outputs and kernels of r × r taps."""
    return Transforms(*(np.kron(line, line) for line in matrices(m, r)))


@cache
def matrices(m: int, r: int) -> Matrices:
    """Matrices in float64 for m outputs and r taps."""
    n = m + r - 1
    points = np.array(POINTS[n])

    def values(count: int) -> Array:
        """Powers of each point; at infinity a polynomial is its highest coefficient."""
        at_infinity = np.eye(1, count, count - 1)
        return np.vstack([points[:, None] ** np.arange(count), at_infinity])

    a, g = values(m), values(r)
    apart = points[:, None] - points + np.eye(n - 1)
    g[:-1] /= apart.prod(axis=1)[:, None]
    # B follows from A and G: sum over k of A[k, i] G[k, j] B^T[k, l] is 1 where l = i + j
    i, j, wanted = np.arange(m)[:, None, None], np.arange(r)[:, None], np.arange(n)
    system = np.einsum("ki,kj->ijk", a, g).reshape(m * r, n)
    b = np.linalg.lstsq(system, (wanted == i + j).reshape(m * r, n).astype(float), rcond=None)[0]
    # as all points are, these are multiples of a power of two, but for what solving left
    return Matrices(a.T, g, np.round(b * _PARTS) / _PARTS + 0.0)  # no -0.0
