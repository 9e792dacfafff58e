from __future__ import annotations

import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from netdef.data.datum import (
    array_to_datum,
    datum_to_array,
    decode_image,
    encoded_datum,
    parse_datum,
)
from netdef.data.errors import DataError
from netdef.schema import Datum


def image_file(array, kind="PNG", mode=None):
    """An image file of (H, W) or (H, W, C) bytes in the order red, green, blue."""
    file = BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(file, kind)
    return file.getvalue()


RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10
GREY = RGB[:, :, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int16])
def test_there_and_back(dtype):
    array = np.arange(2 * 3 * 5).reshape(2, 3, 5).astype(dtype)
    datum = parse_datum(array_to_datum(array, label=7).SerializeToString())
    back = datum_to_array(datum)
    assert back.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
    np.testing.assert_array_equal(back, array)
    assert datum.label == 7


def test_three_axes_are_needed():
    with pytest.raises(ValueError, match="3 axes"):
        array_to_datum(np.zeros((3, 4)))


def test_colour_comes_as_blue_green_red():
    got = decode_image(image_file(RGB))
    np.testing.assert_array_equal(got, RGB[:, :, ::-1].transpose(2, 0, 1))
    assert got.flags.c_contiguous


def test_alpha_stays_last():
    rgba = np.dstack([RGB, 255 - GREY])
    got = decode_image(image_file(rgba))
    np.testing.assert_array_equal(got, rgba[:, :, [2, 1, 0, 3]].transpose(2, 0, 1))


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "P"), ("JPEG", "CMYK"), ("JPEG", "RGB")])
def test_other_colour_modes_have_three_channels(kind, mode):
    assert decode_image(image_file(RGB, kind, mode)).shape == (3, 2, 3)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_has_one_channel(mode):
    assert decode_image(image_file(GREY, mode=mode)).shape == (1, 2, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_force(kind):
    colour, grey = image_file(RGB, kind), image_file(GREY, kind)
    assert decode_image(grey, force_color=True).shape == (3, 2, 3)
    assert decode_image(colour, force_gray=True).shape == (1, 2, 3)
    weights = np.array([0.299, 0.587, 0.114])
    got = decode_image(image_file(RGB), force_gray=True)[0]
    np.testing.assert_allclose(got, RGB @ weights, atol=1)


def test_force_leaves_raw_values_alone():
    datum = array_to_datum(np.zeros((2, 3, 5), np.uint8))
    assert datum_to_array(datum, force_gray=True).shape == (2, 3, 5)


class TestBroken:
    def message(self, datum):
        with pytest.raises(DataError) as caught:
            datum_to_array(datum)
        return caught.value.message

    def test_no_datum(self):
        with pytest.raises(DataError, match="is not a Datum"):
            parse_datum(b"\xff\xff\xff")

    def test_too_few_bytes(self):
        datum = Datum(channels=3, height=2, width=5, data=b"12")
        assert self.message(datum) == "holds 2 bytes, its sizes 3×2×5 say 30"

    def test_too_many_floats(self):
        datum = Datum(channels=1, height=1, width=2, float_data=[1, 2, 3])
        assert self.message(datum) == "holds 3 floats, its sizes 1×1×2 say 2"

    def test_no_sizes(self):
        assert self.message(Datum(data=b"12")) == "has the sizes 0×0×0"

    def test_negative_sizes(self):
        datum = Datum(channels=-1, height=-2, width=1, data=b"12")
        assert self.message(datum) == "has the sizes -1×-2×1"

    def test_an_image_that_is_not_said_to_be_one(self):
        datum = Datum(channels=3, height=2, width=3, data=image_file(RGB))
        with pytest.raises(DataError) as caught:
            datum_to_array(datum)
        assert "encoded: true" in caught.value.help

    def test_half_an_image(self):
        data = image_file(np.zeros((50, 60, 3), np.uint8), "JPEG")
        assert self.message(encoded_datum(data[:400])) == "holds an image that cannot be decoded"

    def test_no_image(self):
        message = self.message(encoded_datum(b"hello"))
        assert message == "holds an image that cannot be decoded: it has no known image format"

    def test_sixteen_bits(self):
        data = image_file(np.zeros((2, 3), np.uint16))
        assert "more than 8 bits a channel" in self.message(encoded_datum(data))

    def test_pillow_is_not_installed(self, monkeypatch):
        data = image_file(RGB)
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(DataError, match="`Pillow`") as e:
            datum_to_array(encoded_datum(data))
        assert "[data]" in e.value.help
