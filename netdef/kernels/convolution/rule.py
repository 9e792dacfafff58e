"""The rule that chooses a way to compute a convolution: the one with the smallest estimate.

A rule rather than a race, so that every run gives the same digits. The estimates are counts of
operations times the time that each takes on one core with AVX-512, measured once
(`benchmarks/convolutions.py` measures the outcome); another machine changes all of them in much
the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod

from netdef.kernels.convolution.algorithm import Algorithm
from netdef.kernels.convolution.depthwise import Depthwise
from netdef.kernels.convolution.gemm_1x1 import Gemm1x1
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.im2col import Im2col, splits
from netdef.kernels.convolution.space_to_depth import (
    SpaceToDepth,
    SpaceToDepthF2,
    SpaceToDepthF4,
    SpaceToDepthF5,
    within,
)
from netdef.kernels.convolution.winograd import Winograd, WinogradF2, WinogradF4, WinogradF5

_MAC = 2 / 115
"""Nanoseconds of a multiply-accumulate in a large matrix product."""

_COPY = 0.1
"""Nanoseconds to copy a value in a long run."""

_SHORT_COPY = {1: 0.45, 2: 0.35, 4: 0.25}
"""The same in runs of so many values that are copied as one."""

_RUN = 3
"""Nanoseconds that a run takes besides."""

_READ = 0.3
"""Nanoseconds to read a weight, as it is or transformed, from memory."""

_WRITE = 0.25
"""Nanoseconds to write a transformed weight."""

_MARGIN = 0.95
"""What a way must come down to before its looser digits are worth it."""


def choose(geometry: Geometry, *, exact: bool = False, holds: bool = False) -> type[Algorithm]:
    """The way to compute a two-dimensional convolution in CHWN.

    Args:
        geometry: of one shard.
        exact: only ways whose sums are those of the formula.
        holds: what is made of the weights lasts for many passes.
    """
    g = geometry
    if g.columns_are_input:
        return Gemm1x1
    if g.group > 1 and Depthwise.fits(g):
        return Depthwise
    if exact:
        return Im2col
    return quickest(g, _looser(g, holds=holds))


def quickest(g: Geometry, looser: Iterable[tuple[type[Algorithm], float]]) -> type[Algorithm]:
    """`Im2col`, or one of the ways with looser digits, given with its time; exacter ones first."""
    best: type[Algorithm] = Im2col
    least = im2col_time(g)
    for way, time in looser:
        if time < _MARGIN * least:
            best, least = way, time
    return best


def ways(geometry: Geometry, *, exact: bool = False) -> tuple[type[Algorithm], ...]:
    """All ways to compute a convolution, of which `choose` takes one; arguments as there."""
    g = geometry
    found: list[type[Algorithm]] = [Gemm1x1] if g.columns_are_input else [Im2col]
    if g.group > 1 and Depthwise.fits(g):
        found.append(Depthwise)
    if not exact and not g.columns_are_input:
        found += [way for way, _ in _looser(g)]
    return tuple(found)


def _looser(g: Geometry, *, holds: bool = False) -> Iterator[tuple[type[Algorithm], float]]:
    """The ways that fit and have looser digits, each with its time."""
    for winograd in (WinogradF2, WinogradF4, WinogradF5):
        if winograd.fits(g):
            yield winograd, winograd_time(g, winograd, holds=holds)
    for strided in (SpaceToDepthF2, SpaceToDepthF4, SpaceToDepthF5):
        if strided.fits(g):
            yield strided, space_to_depth_time(g, strided, holds=holds)


def im2col_time(g: Geometry) -> float:
    """Nanoseconds of a forward pass with `Im2col`, by estimate."""
    columns = prod(g.out) * g.batch
    one = g.stride[1] == 1 or splits(g)
    fill = g.group * g.fan_in * columns * _copy(g.batch * (g.out[1] if one else 1))
    if splits(g):
        fill += g.channels * prod(g.size) * g.batch * _copy(g.batch)
    product = g.group * _product(g.outputs // g.group, g.fan_in, columns)
    return product + fill + g.outputs * g.fan_in * _READ


def tile_time(m: int, n: int, batch: int, across: int) -> tuple[float, float]:
    """Nanoseconds to transform a tile of a `Winograd`'s input, and one of its output.

    Args:
        m: side of an output's tile.
        n: side of an input's.
        batch: images.
        across: tiles of a row of the image.
    """
    del across
    copy = _copy(batch)
    return n * n * (n * n * _MAC + copy), m * m * (n * n * _MAC + copy + _COPY)


TileTime = Callable[[int, int, int, int], tuple[float, float]]


def winograd_time(
    g: Geometry, winograd: type[Winograd], *, holds: bool = False, tile: TileTime = tile_time
) -> float:
    """Nanoseconds of a forward pass with a `Winograd`, by estimate."""
    m, r = winograd.tile, g.kernel[0]
    n = m + r - 1
    tall, across = (-(-out // m) for out in g.out)
    tiles = tall * across * g.batch
    outputs, channels = g.outputs // g.group, g.channels // g.group
    products = n * n * g.group * _product(outputs, channels, tiles)
    per_input, per_output = tile(m, n, g.batch, across)
    per_weight = n * n * (_READ if holds else r * r * _MAC + _WRITE + _READ)
    transforms = tiles * (g.channels * per_input + g.outputs * per_output)
    return products + transforms + g.outputs * channels * per_weight


def space_to_depth_time(
    g: Geometry, strided: type[SpaceToDepth], *, holds: bool = False, tile: TileTime = tile_time
) -> float:
    """Nanoseconds of a forward pass with a `SpaceToDepth`, by estimate."""
    inner = within(g)
    image = inner.channels * prod(inner.size) * inner.batch
    return image * _copy(g.batch) + winograd_time(inner, strided.inner, holds=holds, tile=tile)


def _product(rows: int, inner: int, columns: int) -> float:
    """Nanoseconds of a matrix product: small ones do not earn back what they pack."""
    packing = (inner + 5) / inner * (columns + 8) / columns
    return rows * inner * columns * _MAC * packing


def _copy(run: int) -> float:
    """Nanoseconds to copy a value where so many follow each other."""
    return _SHORT_COPY.get(run, _COPY + _RUN / run)
