"""The gradient of a convolution's input as a convolution of the output's gradient.

A value of the input meets only the taps that lie a multiple of the stride away from it. Inputs
that meet the same taps form a phase; within a phase the gradient is a plain correlation of dY
at stride 1, and needs no sums into memory.
"""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.windows import Axis
from netdef.kernels.taps import Tap


class PhaseAxis(NamedTuple):
    """Inputs along one axis that meet the same taps.

    Attributes:
        first: first of these inputs; the others follow at the convolution's stride.
        taps: which of the kernel's taps they meet.
        windows: of dY; the values of a window belong to `taps` one by one.
    """

    first: int
    taps: slice
    windows: Axis


def phases(g: Geometry, axis: int) -> tuple[PhaseAxis, ...]:
    """The phases along an axis; without windows where no tap ever meets them."""
    size, out, stride = g.size[axis], g.out[axis], g.stride[axis]
    pad, dilation, kernel = g.pad[axis], g.dilation[axis], g.kernel[axis]
    every = stride // gcd(stride, dilation)
    found = []
    for first in range(min(stride, size)):
        count = -(-(size - first) // stride)
        met = [i for i in range(kernel) if (first + pad - i * dilation) % stride == 0]
        windows = []
        for i in met:
            # input `first + stride * q` meets output `q + shift` through tap i
            shift = (first + pad - i * dilation) // stride
            low = min(count, max(0, -shift))
            high = max(low, min(count, out - shift))
            windows.append(Tap(low, high, low + shift))
        step = dilation // gcd(stride, dilation)
        taps = slice(met[0], met[-1] + 1, every) if met else slice(0, 0)
        found.append(PhaseAxis(first, taps, Axis(tuple(windows), count, 1, -step)))
    return tuple(found)
