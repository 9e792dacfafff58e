"""A factor and an offset for each channel, and what is negative made 0, in one pass in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from netdef.kernels.fast.jit import compiled

Array = NDArray[Any]


def finish(block: Array, factor: Array, offset: Array, *, rectifies: bool) -> None:
    """Set block = block * factor + offset, or the larger of that and 0; rounds as NumPy does.

    Args:
        block: (…, channels, values); there may be gaps between its rows, not in them.
        factor: (channels,).
        offset: (channels,).
        rectifies: whether what is negative becomes 0.
    """
    channels, values = block.shape[-2:]
    if block.flags.c_contiguous:
        _finish(block.reshape(-1), values, values, factor, offset, rectifies)
    elif block.ndim > 2:
        for part in block:
            finish(part, factor, offset, rectifies=rectifies)
    else:
        # a flat view that begins with the first row and ends with the last
        pitch = block.strides[0] // block.itemsize
        flat = as_strided(block, ((channels - 1) * pitch + values,), block.strides[1:])
        _finish(flat, pitch, values, factor, offset, rectifies)


@compiled
def _finish(
    flat: Array, pitch: int, values: int, factor: Array, offset: Array, rectifies: bool
) -> None:
    none, count = flat.dtype.type(0), np.uint64(values)
    for row in range(flat.size // pitch + (flat.size % pitch > 0)):
        channel = row % factor.size
        times, plus, at = factor[channel], offset[channel], np.uint64(row * pitch)
        if rectifies:
            for n in range(count):
                value = flat[at + n] * times + plus
                flat[at + n] = none if none > value else value
        else:
            for n in range(count):
                flat[at + n] = flat[at + n] * times + plus
