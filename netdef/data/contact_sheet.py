"""Samples of a data set as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import missing_package
from netdef.data.records import Record

_GAP = 4  # pixels
_CAPTION = 14


def pixels_of(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """A record as a picture, (H, W, 3) red, green, blue; None where it looks like none.

    Bytes are shown as they are, floats from their least to their greatest.
    """
    if values.ndim == 2:
        values = values[np.newaxis]
    if values.ndim != 3 or values.shape[0] not in (1, 3, 4) or 0 in values.shape:
        return None
    if values.dtype != np.uint8:
        wide = np.nan_to_num(values.astype(np.float64))
        low, high = wide.min(), wide.max()
        values = ((wide - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    image = values[:1].repeat(3, axis=0) if len(values) == 1 else values[2::-1]
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def contact_sheet(
    records: Sequence[Record], *, names: Sequence[str] = (), side: int = 96, columns: int = 8
) -> Any:
    """A Pillow image of records in rows, their labels beneath.

    Args:
        records: what to show; those that are no pictures are left out.
        names: of the labels.
        side: pixels of a sample.
        columns: samples of a row.

    Raises:
        DataError: Pillow is missing.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise missing_package("Pillow", "a contact sheet") from error
    shown = [
        (r, p) for r in records if r.values is not None and (p := pixels_of(r.values)) is not None
    ]
    columns = max(1, min(columns, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    high = side + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * (side + _GAP) + _GAP, rows * high + _GAP), (32, 32, 32))
    pen = ImageDraw.Draw(sheet)
    for place, (record, pixels) in enumerate(shown):
        picture = Image.fromarray(pixels)
        scale = side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        # small images are shown by their pixels
        how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
        picture = picture.resize(size, how)
        x = _GAP + place % columns * (side + _GAP)
        y = _GAP + place // columns * high
        sheet.paste(picture, (x + (side - size[0]) // 2, y + (side - size[1]) // 2))
        pen.text((x + 2, y + side), label_text(record.label, names)[:16], fill=(230, 230, 230))
    return sheet


def label_text(label: float | None, names: Sequence[str] = ()) -> str:
    """A label as people read it."""
    if label is None:
        return ""
    if label == int(label) and 0 <= label < len(names):
        return names[int(label)]
    return f"{label:g}"
