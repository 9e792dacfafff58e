"""Images and their rows, with the values that a strided tap meets next to each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.kernels.fast.jit import compiled

Array = NDArray[Any]
Pair = tuple[int, int]


@compiled
def _four(x: Array, y: Array) -> None:
    # all are read before any is written: so few that they are one register
    a, b, c, d = x[0], x[1], x[2], x[3]
    y[0], y[1], y[2], y[3] = a, b, c, d


@compiled
def _eight(x: Array, y: Array) -> None:
    a, b, c, d, e, f, g, h = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7] = a, b, c, d, e, f, g, h


@compiled
def copy_grid(
    source: Array, at: int, by: Pair, target: Array, to: int, step: Pair, counts: Pair, run: int
) -> None:
    """Copy rows and columns of runs between flat arrays.

    Args:
        source: flat.
        at: where its first run starts.
        by: from one row to the next, and from one column to the next.
        target: flat.
        to: where its first run starts.
        step: as `by`.
        counts: rows and columns.
        run: values; the lengths that short runs usually have are known to the compiler.
    """
    for r in range(counts[0]):
        a, b = at + r * by[0], to + r * step[0]
        if run == 4:
            for k in range(counts[1]):
                here, there = a + k * by[1], b + k * step[1]
                _four(source[here : here + 4], target[there : there + 4])
        elif run == 8:
            for k in range(counts[1]):
                here, there = a + k * by[1], b + k * step[1]
                _eight(source[here : here + 8], target[there : there + 8])
        elif run == 16:
            for k in range(counts[1]):
                here, there = a + k * by[1], b + k * step[1]
                _eight(source[here : here + 8], target[there : there + 8])
                _eight(source[here + 8 : here + 16], target[there + 8 : there + 16])
        else:
            for k in range(counts[1]):
                here, there = a + k * by[1], b + k * step[1]
                xs, ys = source[here : here + run], target[there : there + run]
                for n in range(run):
                    ys[n] = xs[n]


@compiled
def add_grid(
    source: Array, at: int, by: Pair, target: Array, to: int, step: Pair, counts: Pair, run: int
) -> None:
    """As `copy_grid`, added to what is there."""
    for r in range(counts[0]):
        for k in range(counts[1]):
            here = at + r * by[0] + k * by[1]
            there = to + r * step[0] + k * step[1]
            xs, ys = source[here : here + run], target[there : there + run]
            for n in range(run):
                ys[n] += xs[n]


@compiled
def columns_of(size: int, stride: int, pad: int, places: int) -> Array:
    """Which columns of a row go to each of `stride` parts: w to part (w + pad) % stride.

    Args:
        size: columns of the row.
        stride: parts.
        pad: columns before the first.
        places: columns of a part; those that lie beyond are left out.

    Returns:
        For each part its first column, the place where that goes, and how many there are.
    """
    found = np.empty((stride, 3), np.int64)
    for part in range(stride):
        first = (part - pad) % stride
        place = (first + pad) // stride
        count = min(places - place, (size - first + stride - 1) // stride)
        found[part, 0], found[part, 1], found[part, 2] = first, place, max(0, count)
    return found


@compiled
def take_row(row: Array, columns: Array, parts: Array, step: int) -> None:
    """Copy a row into parts.

    Args:
        row: (w, n).
        columns: as from `columns_of`.
        parts: flat; part k starts at k * step.
        step: from one part to the next.
    """
    batch, stride = row.shape[1], columns.shape[0]
    flat = row.reshape(-1)
    for part in range(stride):
        at, to, count = columns[part, 0], columns[part, 1], columns[part, 2]
        to = part * step + to * batch
        by, run = (0, stride * batch), batch
        if stride == 1:  # one long run
            run, count = count * batch, 1
        copy_grid(flat, at * batch, by, parts, to, (0, batch), (1, count), run)


@compiled
def put_row(parts: Array, step: int, columns: Array, row: Array, add: bool) -> None:
    """Copy or add back what `take_row` took; columns that it left out get 0."""
    batch, stride = row.shape[1], columns.shape[0]
    flat = row.reshape(-1)
    if not add and columns[:, 2].sum() < row.shape[0]:
        flat[:] = row.dtype.type(0)
    for part in range(stride):
        to, at, count = columns[part, 0], columns[part, 1], columns[part, 2]
        at = part * step + at * batch
        by, run = (0, stride * batch), batch
        if stride == 1:
            run, count = count * batch, 1
        if add:
            add_grid(parts, at, (0, batch), flat, to * batch, by, (1, count), run)
        else:
            copy_grid(parts, at, (0, batch), flat, to * batch, by, (1, count), run)


@compiled
def take_image(x: Array, tall: Array, wide: Array, image: Array) -> None:
    """Copy an image into parts; what lies around it stays.

    Args:
        x: (h, w, n).
        tall: rows of each part, as from `columns_of`.
        wide: columns of each part.
        image: (stride_h * stride_w, rows, columns * n).
    """
    _, rows, length = image.shape
    _, width, batch = x.shape
    source, target = x.reshape(-1), image.reshape(-1)
    for i in range(tall.shape[0]):
        for j in range(wide.shape[0]):
            at = (tall[i, 0] * width + wide[j, 0]) * batch
            to = ((i * wide.shape[0] + j) * rows + tall[i, 1]) * length + wide[j, 1] * batch
            by = (tall.shape[0] * width * batch, wide.shape[0] * batch)
            columns, run = wide[j, 2], batch
            if wide.shape[0] == 1:  # one long run
                columns, run = 1, columns * batch
            copy_grid(source, at, by, target, to, (length, batch), (tall[i, 2], columns), run)


@compiled
def put_image(image: Array, tall: Array, wide: Array, x: Array, add: bool) -> None:
    """Copy or add back what `take_image` took; what it left out gets 0."""
    _, rows, length = image.shape
    _, width, batch = x.shape
    source, target = image.reshape(-1), x.reshape(-1)
    if not add and tall[:, 2].sum() * wide[:, 2].sum() < x.shape[0] * width:
        target[:] = x.dtype.type(0)
    for i in range(tall.shape[0]):
        for j in range(wide.shape[0]):
            to = (tall[i, 0] * width + wide[j, 0]) * batch
            at = ((i * wide.shape[0] + j) * rows + tall[i, 1]) * length + wide[j, 1] * batch
            step = (tall.shape[0] * width * batch, wide.shape[0] * batch)
            columns, run = wide[j, 2], batch
            if wide.shape[0] == 1:
                columns, run = 1, columns * batch
            counts = (tall[i, 2], columns)
            if add:
                add_grid(source, at, (length, batch), target, to, step, counts, run)
            else:
                copy_grid(source, at, (length, batch), target, to, step, counts, run)
