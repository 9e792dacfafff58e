"""Datum messages, the records of Caffe's databases, to arrays and back."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import DataError, missing_package

if TYPE_CHECKING:
    from netdef.schema import Datum


def array_to_datum(array: NDArray[Any], label: int | None = None) -> Datum:
    """Make a datum of values.

    Args:
        array: (C, H, W); bytes are stored as bytes, all else as 32-bit floats.
        label: the class, or None for none.

    Raises:
        ValueError: the array has not 3 axes.
    """
    from netdef.schema import Datum

    if array.ndim != 3:
        raise ValueError(f"a datum has 3 axes (channels, height, width), not {array.ndim}")
    datum = Datum(channels=array.shape[0], height=array.shape[1], width=array.shape[2])
    if array.dtype == np.uint8:
        datum.data = array.tobytes()
    else:
        datum.float_data.extend(array.astype(np.float32).ravel())
    if label is not None:
        datum.label = label
    return datum


def encoded_datum(image: bytes, label: int | None = None) -> Datum:
    """Make a datum of an image file (JPEG, PNG, ...), kept as it is."""
    from netdef.schema import Datum

    datum = Datum(data=image, encoded=True)
    if label is not None:
        datum.label = label
    return datum


def parse_datum(record: bytes) -> Datum:
    """Read the value of a database's record.

    Raises:
        DataError: it is no datum; to follow the record's name: "is not a Datum".
    """
    from netdef.schema import Datum

    datum = Datum()
    try:
        datum.ParseFromString(record)
    except Exception as error:  # protobuf's DecodeError, a class that only netdef.schema may name
        raise DataError("is not a Datum") from error
    return datum


def datum_to_array(
    datum: Datum, *, force_color: bool = False, force_gray: bool = False
) -> NDArray[Any]:
    """The values of a datum.

    Args:
        datum: raw bytes, floats, or an image file.
        force_color: decode an image file as three channels; raw values stay as they are.
        force_gray: decode an image file as one channel.

    Returns:
        (C, H, W), uint8 or float32; colour in the order blue, green, red, as OpenCV gives it.
        Bytes that were not decoded cannot be written to.

    Raises:
        DataError: the values do not fit the sizes, or the image is broken; to follow the
            record's name: "holds 12 bytes, ...".
    """
    if datum.encoded:
        return decode_image(datum.data, force_color=force_color, force_gray=force_gray)
    shape = (datum.channels, datum.height, datum.width)
    size = shape[0] * shape[1] * shape[2]
    if min(shape) < 1:
        raise DataError(f"has the sizes {_by(shape)}")
    if datum.data:
        if len(datum.data) != size:
            raise DataError(
                f"holds {len(datum.data):,} bytes, its sizes {_by(shape)} say {size:,}",
                "an image file needs `encoded: true`" if _is_image(datum.data) else "",
            )
        return np.frombuffer(datum.data, np.uint8).reshape(shape)
    if len(datum.float_data) != size:
        raise DataError(
            f"holds {len(datum.float_data):,} floats, its sizes {_by(shape)} say {size:,}"
        )
    return np.array(datum.float_data, np.float32).reshape(shape)


def decode_image(
    image: bytes, *, force_color: bool = False, force_gray: bool = False
) -> NDArray[np.uint8]:
    """Decode an image file (JPEG, PNG, ...).

    Args:
        image: the bytes of the file.
        force_color: give three channels.
        force_gray: give one channel.

    Returns:
        (C, H, W), contiguous; colour in the order blue, green, red, with alpha last.

    Raises:
        DataError: Pillow is missing or cannot read it; to follow the record's name.
    """
    try:
        from PIL import Image
    except ImportError as error:
        missing = missing_package("Pillow", "reading an image file")
        raise DataError(f"is an image file: {missing.message}", missing.help) from error
    try:
        with Image.open(BytesIO(image)) as file:
            if force_gray:
                # let libjpeg give its own luminance, as OpenCV does
                file.draft("L", file.size)
            picture = file.convert(_mode(file, force_color=force_color, force_gray=force_gray))
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of every kind
        reason = "" if _is_image(image) else ": it has no known image format"
        raise DataError(f"holds an image that cannot be decoded{reason}") from error
    if picture.mode == "RGB":
        # row by row the reds, the greens and the blues: planes are copied from it a row at a time
        rows = np.frombuffer(picture.tobytes("raw", "RGB;L"), np.uint8)
        rows = rows.reshape(picture.height, 3, picture.width)
        return np.ascontiguousarray(rows[:, ::-1].transpose(1, 0, 2))
    pixels = np.asarray(picture)
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels[np.newaxis])
    return np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3]].transpose(2, 0, 1))


def _mode(file: Any, *, force_color: bool, force_gray: bool) -> str:
    """The Pillow mode that has the channels OpenCV gives an image."""
    if file.mode.startswith(("I", "F")):
        raise DataError(f"holds an image of more than 8 bits a channel (`{file.mode}`)")
    if force_color:
        return "RGB"
    if force_gray or file.mode in ("1", "L"):
        return "L"
    return "RGBA" if file.has_transparency_data else "RGB"


def _is_image(data: bytes) -> bool:
    heads = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
    return data.startswith(heads)


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
