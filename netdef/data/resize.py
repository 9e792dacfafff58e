"""Images of another size, pixel for pixel as OpenCV's linear interpolation gives them.

Nothing is blurred before an image is made smaller: that is what Caffe's nets were trained on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BITS = 11  # OpenCV weighs neighbours in steps of 1/2048


def resize(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Bring an image to a size.

    Args:
        image: (C, H, W).
        height: of the result, at least 1.
        width: of the result, at least 1.

    Returns:
        (C, height, width).
    """
    _, h, w = image.shape
    if (h, w) == (height, width):
        return image
    if (h, w) == (2 * height, 2 * width):  # OpenCV takes the mean of each four pixels
        four = image.reshape(-1, height, 2, width, 2).astype(np.uint16)
        mean: NDArray[np.uint8] = ((four.sum(axis=(2, 4)) + 2) >> 2).astype(np.uint8)
        return mean
    left, right, at = _neighbours(w, width)
    above, below, beside = _neighbours(h, height)
    one = 1 << _BITS
    pixels = image.astype(np.int32)
    rows = pixels[:, :, left] * (one - at) + pixels[:, :, right] * at
    rows >>= 4  # the vertical sum must fit 32 bits
    y = beside[:, None]
    upper = (rows[:, above] * (one - y)) >> 16
    lower = (rows[:, below] * y) >> 16
    mixed: NDArray[np.uint8] = np.clip((upper + lower + 2) >> 2, 0, 255).astype(np.uint8)
    return mixed


def _neighbours(
    old: int, new: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """For each new pixel the two old ones it lies between, and the second's weight."""
    at = ((np.arange(new) + 0.5) * (old / new) - 0.5).astype(np.float32)
    first = np.floor(at).astype(np.int64)
    weight = np.rint((at - first.astype(np.float32)) * np.float32(1 << _BITS)).astype(np.int32)
    return first.clip(0, old - 1), (first + 1).clip(0, old - 1), weight


def resize_floats(image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Bring an image of floats to a size, by linear interpolation.

    Args:
        image: (C, H, W).
        height: of the result.
        width: of the result.
    """
    _, h, w = image.shape
    if (h, w) == (height, width):
        return image
    left, right, across = _neighbours(w, width)
    above, below, down = _neighbours(h, height)
    one = np.float32(1 << _BITS)
    at, beside = across.astype(np.float32) / one, (down.astype(np.float32) / one)[:, None]
    rows = image[:, :, left] * (1 - at) + image[:, :, right] * at
    mixed: NDArray[np.float32] = rows[:, above] * (1 - beside) + rows[:, below] * beside
    return mixed.astype(np.float32)
