"""Winograd's transforms of an image's tiles and back, channel by channel in cache.

A transform is one along the tiles' rows and one along their columns. Between the two, the lines
of a channel lie in first- or second-level cache, so ordered that both read and write long runs
whatever the batch is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdef.kernels.convolution.transforms import matrices
from netdef.kernels.fast.jit import compiled
from netdef.kernels.fast.mixing import mix, move, spelled
from netdef.kernels.fast.rows import columns_of

Array = NDArray[Any]
Pair = tuple[int, int]


class Kernels(NamedTuple):
    """Compiled functions, each when it is first called.

    Attributes:
        take_input: `take`: B^T d B.
        put_output: `put`: A^T M A.
        take_gradient: `take`: A dY A^T.
        put_gradient: `put`: B dV B^T, summed where tiles overlap.
    """

    take_input: Callable[..., None]
    put_output: Callable[..., None]
    take_gradient: Callable[..., None]
    put_gradient: Callable[..., None]


@cache
def kernels(m: int, r: int) -> Kernels:
    """The transforms of F(m, r)."""
    t = matrices(m, r)
    return Kernels(
        _taking(t.input, m),
        _putting(t.output, m),
        _taking(t.output.T, m),
        _putting(t.input.T, m),
    )


def _taking(matrix: Array, m: int) -> Callable[..., None]:
    n, side = matrix.shape  # of a transformed tile, and of one of the image
    text, more = spelled(matrix), 1 if side > m else 0

    @compiled
    def take(
        x: Array,
        tiles: Array,
        rows: Pair,
        count: int,
        pad: Pair,
        parts: Array,
        lines: Array,
    ) -> None:
        """Transform rows of tiles.

        Args:
            x: image, (c, h, w, n).
            tiles: flat: (n * n, c, rows, count, n).
            rows: first row of tiles, and the one after the last.
            count: tiles of a row.
            pad: by which the first tile hangs over the image's start.
            parts: scratch for a row's columns 0, m, 2 * m, ..., then 1, m + 1, ..., and so on.
            lines: scratch for transformed rows; those of the image as columns in `parts`.
        """
        none = x.dtype.type(0)
        channels, height, width, batch = x.shape
        flat, tall, run = x.reshape(-1), rows[1] - rows[0], count * batch
        part, line, length = run + more * batch, (tall + more) * run, tall * run
        columns = columns_of(width, m, pad[1], count + more)
        parts[:] = none  # the columns beside the image stay so
        for c in range(channels):
            for i in range(tall * m + side - m):
                h = rows[0] * m + i - pad[0]
                to = i % m * n * line + i // m * run
                if 0 <= h < height:
                    row = (c * height + h) * width
                    for p in range(m):
                        at, place = (row + columns[p, 0]) * batch, p * part + columns[p, 1] * batch
                        move("set", flat, at, m * batch, parts, place, batch, columns[p, 2], batch)
                    mix(text, m, parts, 0, part, batch, lines, to, line, run, None)
                else:
                    for k in range(n):
                        lines[to + k * line : to + k * line + run] = none
            for k in range(n):
                to, apart = (k * channels + c) * length, n * channels * length
                mix(text, m, lines, k * line, n * line, run, tiles, to, apart, length, None)

    found: Callable[..., None] = take
    return found


def _putting(matrix: Array, m: int) -> Callable[..., None]:
    side, n = matrix.shape
    text, more = spelled(matrix), 1 if side > m else 0

    @compiled
    def put(
        tiles: Array,
        y: Array,
        some: Pair,
        b: Array,
        rows: Pair,
        counts: Pair,
        pad: Pair,
        parts: Array,
        lines: Array,
        add: bool,
    ) -> None:
        """Transform back rows of tiles; those below have been put before.

        Args:
            tiles: flat: (n * n, c, rows, count, n).
            y: image, (c, h, w, n).
            some: first channel, and the one after the last.
            b: added to each channel.
            rows: first row of tiles, and the one after the last.
            counts: rows of tiles of the whole image, and tiles of a row.
            pad: by which the first tile hangs over the image's start.
            parts: scratch for a row's columns 0, m, 2 * m, ..., then 1, m + 1, ..., and so on.
            lines: scratch for transformed rows.
            add: to what y holds.
        """
        channels, height, width, batch = y.shape
        flat, tall, run = y.reshape(-1), rows[1] - rows[0], counts[1] * batch
        part, length = run + more * batch, tall * run
        columns = columns_of(width, m, pad[1], counts[1] + more)
        last = rows[1] == counts[0]
        for c in range(some[0], some[1]):
            for k in range(n):
                at, apart = (k * channels + c) * length, n * channels * length
                mix(text, n, tiles, at, apart, 0, lines, k * length, n * length, length, None)
            for i in range((side - m) * n):  # what tiles share with those below
                at, to = (m * n + i) * length, i * length + run
                move("add", lines, at, 0, lines, to, 0, 1, length - run)
            for i in range(tall * m + side - m):
                h = rows[0] * m + i - pad[0]
                if not 0 <= h < height:
                    continue
                row = min(i // m, tall - 1)
                at = (i - row * m) * n * length + row * run
                mix(text, n, lines, at, length, 0, parts, 0, part, run, b[c])
                for p in range(side - m):  # and with those beside
                    parts[p * part + run : (p + 1) * part] = y.dtype.type(0)
                    at, to = (p + m) * part, p * part + batch
                    move("add", parts, at, 0, parts, to, 0, 1, run)
                to = (c * height + h) * width * batch
                for p in range(m):
                    at, place = p * part + columns[p, 1] * batch, to + columns[p, 0] * batch
                    if add or (i >= tall * m and not last):
                        move("add", parts, at, batch, flat, place, m * batch, columns[p, 2], batch)
                    else:
                        move("set", parts, at, batch, flat, place, m * batch, columns[p, 2], batch)

    found: Callable[..., None] = put
    return found
