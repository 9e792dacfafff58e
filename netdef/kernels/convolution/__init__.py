"""Ways to compute a convolution, one file each, and the rule that chooses between them.

Knows sizes and arrays. Has never heard of layers or prototxt.
"""

from netdef.kernels.convolution.algorithm import Algorithm
from netdef.kernels.convolution.depthwise import Depthwise
from netdef.kernels.convolution.gemm_1x1 import Gemm1x1
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.im2col import Im2col
from netdef.kernels.convolution.measure import measure
from netdef.kernels.convolution.plain import Plain
from netdef.kernels.convolution.rule import choose, ways
from netdef.kernels.convolution.space_to_depth import (
    SpaceToDepth,
    SpaceToDepthF2,
    SpaceToDepthF4,
    SpaceToDepthF5,
)
from netdef.kernels.convolution.winograd import Winograd, WinogradF2, WinogradF4, WinogradF5

__all__ = [
    "Algorithm",
    "Depthwise",
    "Gemm1x1",
    "Geometry",
    "Im2col",
    "Plain",
    "SpaceToDepth",
    "SpaceToDepthF2",
    "SpaceToDepthF4",
    "SpaceToDepthF5",
    "Winograd",
    "WinogradF2",
    "WinogradF4",
    "WinogradF5",
    "choose",
    "measure",
    "ways",
]
