"""Ways to compute a convolution, one file each, and the rule that chooses between them.

Knows sizes and arrays. Has never heard of layers or prototxt.
"""

from netdef.kernels.convolution.algorithm import Algorithm
from netdef.kernels.convolution.gemm_1x1 import Gemm1x1
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.im2col import Im2col
from netdef.kernels.convolution.plain import Plain

__all__ = ["Algorithm", "Gemm1x1", "Geometry", "Im2col", "Plain", "choose"]


def choose(geometry: Geometry, *, exact: bool = False) -> type[Algorithm]:
    """The way to compute a two-dimensional convolution in CHWN.

    A rule rather than a race, so that every run gives the same digits.

    Args:
        geometry: of one shard.
        exact: only ways whose sums are those of the formula.
    """
    del exact  # every way that is here keeps the formula's sums
    return Gemm1x1 if geometry.columns_are_input else Im2col
