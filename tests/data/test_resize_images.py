"""Images of another size, against what OpenCV 5.0.0 gave for INTER_LINEAR."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.data.resize import resize

IMAGE = (np.arange(4 * 6) * 89 % 256).astype(np.uint8).reshape(4, 6)

OPENCV = {
    (1, 1): [[128]],
    (2, 3): [[56, 106, 156], [100, 150, 200]],  # half of both sides: the mean of each four
    (3, 4): [[26, 159, 37, 170], [55, 189, 66, 200], [85, 218, 95, 229]],
    (7, 9): [
        [0, 44, 104, 163, 94, 26, 85, 144, 189],
        [8, 52, 112, 171, 102, 34, 93, 152, 197],
        [20, 65, 124, 183, 115, 46, 106, 165, 209],
        [33, 78, 137, 196, 128, 59, 118, 178, 222],
        [45, 90, 149, 209, 140, 71, 131, 190, 234],
        [58, 103, 162, 221, 152, 84, 143, 203, 247],
        [66, 110, 170, 229, 160, 92, 151, 210, 255],
    ],
}


@pytest.mark.parametrize("size", OPENCV, ids=str)
def test_every_pixel_is_opencvs(size):
    image = np.stack([IMAGE, IMAGE[::-1], 255 - IMAGE])
    out = resize(image, *size)
    assert (out.dtype, out.shape) == (np.uint8, (3, *size))
    assert out[0].tolist() == OPENCV[size]


def test_the_same_size_is_the_same_image():
    assert resize(IMAGE[None], 4, 6).tolist() == [IMAGE.tolist()]


def test_a_flat_image_stays_flat():
    for value in (0, 1, 127, 255):
        image = np.full((1, 5, 7), value, np.uint8)
        for size in ((3, 11), (13, 2), (40, 40)):
            assert (resize(image, *size) == value).all()
