"""Whole numbers that come as the floats of a bottom."""

from __future__ import annotations

import numpy as np

from netdef.diag import BottomError
from netdef.layers.base import Array


def read_indices(values: Array, count: int, bottom: int, help: str, index: Array) -> None:
    """Turn the values of a bottom into numbers of rows.

    Args:
        values: of any shape.
        count: of the rows; numbers go from 0 to one less.
        bottom: which one, for the error.
        help: what to do about a wrong one.
        index: integers, one for each value; written.

    Raises:
        BottomError: a value is no whole number, or there is no such row.
    """
    flat = values.reshape(-1)
    # NaN fits no comparison, so it is asked for what is right
    good = (flat >= 0) & (flat < count)
    np.copyto(index, flat, where=good, casting="unsafe")
    good &= index == flat
    if not good.all():
        wrong = int(np.flatnonzero(~good)[0])
        value = float(flat[wrong])
        place = "".join(f"[{i}]" for i in np.unravel_index(wrong, values.shape))
        raise BottomError(
            bottom,
            f"holds {value:g} at {place}, which is no whole number from 0 to {count - 1}",
            help,
        )
