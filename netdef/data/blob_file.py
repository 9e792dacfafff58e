"""Files of one blob: the .binaryproto files of Caffe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import DataError


def read_blob(path: Path) -> NDArray[np.float32]:
    """Read a BlobProto, in its own shape.

    Raises:
        DataError: the file is missing or holds something else.
    """
    from netdef.schema import BlobProto

    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"`{path}` does not exist") from error
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {error.strerror}") from error
    blob = BlobProto()
    try:
        blob.ParseFromString(data)
    except Exception as error:  # protobuf's DecodeError, a class that only netdef.schema may name
        raise DataError(f"`{path}` is not a BlobProto", "make a .binaryproto file") from error
    shape = tuple(blob.shape.dim) or (blob.num, blob.channels, blob.height, blob.width)
    values = np.array(blob.data or blob.double_data, np.float32)
    if min(shape) < 0 or values.size != np.prod(shape, dtype=object):
        by = "×".join(map(str, shape))
        raise DataError(f"`{path}` holds {values.size:,} values, its shape is {by}")
    return values.reshape(shape)
