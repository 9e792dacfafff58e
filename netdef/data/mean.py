"""Mean images: the .binaryproto files that Caffe's compute_image_mean writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.blob_file import read_blob
from netdef.data.errors import DataError


def read_mean(path: Path) -> NDArray[np.float32]:
    """Read a mean image.

    Args:
        path: of a BlobProto, (C, H, W) or (1, C, H, W).

    Returns:
        (C, H, W).

    Raises:
        DataError: the file is missing or holds something else.
    """
    values = read_blob(path)
    shape = values.shape[1:] if values.ndim == 4 and values.shape[0] == 1 else values.shape
    if len(shape) != 3 or min(shape) < 1:
        raise DataError(f"`{path}` holds a blob of {_by(shape)}, a mean image has 3 axes")
    return values.reshape(shape)


def write_mean(path: Path, mean: NDArray[Any]) -> None:
    """Write a mean image, (C, H, W), that Caffe reads.

    Raises:
        DataError: the file cannot be written.
    """
    from netdef.schema import BlobProto

    channels, height, width = mean.shape
    # Caffe's own tool writes the old four sizes
    blob = BlobProto(num=1, channels=channels, height=height, width=width)
    blob.data.extend(np.asarray(mean, np.float32).ravel())
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(blob.SerializeToString())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"`{path}` cannot be written: {error.strerror}") from error


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
