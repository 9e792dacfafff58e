"""The rule that chooses a way to compute a convolution: the one with the smallest estimate.

A rule rather than a race, so that every run gives the same digits. The estimates are counts of
operations times the time that each takes on one core with AVX-512, measured once
(`benchmarks/convolutions.py` measures the outcome); another machine changes all of them in much
the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
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

_WEIGHT = 0.55
"""Nanoseconds to write a transformed weight and to read it again, from memory."""

_MARGIN = 0.95
"""What a way must come down to before its looser digits are worth it."""


def choose(geometry: Geometry, *, exact: bool = False) -> type[Algorithm]:
    """The way to compute a two-dimensional convolution in CHWN.

    Args:
        geometry: of one shard.
        exact: only ways whose sums are those of the formula.
    """
    g = geometry
    if g.columns_are_input:
        return Gemm1x1
    if g.group > 1 and Depthwise.fits(g):
        return Depthwise
    if exact:
        return Im2col
    best: type[Algorithm] = Im2col
    least = im2col_time(g)
    for way, time in _looser(g):  # the exacter ones first
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


def _looser(g: Geometry) -> Iterator[tuple[type[Algorithm], float]]:
    """The ways that fit and have looser digits, each with its time."""
    for winograd in (WinogradF2, WinogradF4, WinogradF5):
        if winograd.fits(g):
            yield winograd, winograd_time(g, winograd)
    for strided in (SpaceToDepthF2, SpaceToDepthF4, SpaceToDepthF5):
        if strided.fits(g):
            yield strided, space_to_depth_time(g, strided)


def im2col_time(g: Geometry) -> float:
    """Nanoseconds of a forward pass with `Im2col`, by estimate."""
    columns = prod(g.out) * g.batch
    one = g.stride[1] == 1 or splits(g)
    fill = g.group * g.fan_in * columns * _copy(g.batch * (g.out[1] if one else 1))
    if splits(g):
        fill += g.channels * prod(g.size) * g.batch * _copy(g.batch)
    return g.group * _product(g.outputs // g.group, g.fan_in, columns) + fill


def winograd_time(g: Geometry, winograd: type[Winograd]) -> float:
    """Nanoseconds of a forward pass with a `Winograd`, by estimate."""
    m, r = winograd.tile, g.kernel[0]
    n = m + r - 1
    tiles = prod(-(-out // m) for out in g.out) * g.batch
    outputs, channels = g.outputs // g.group, g.channels // g.group
    products = n * n * g.group * _product(outputs, channels, tiles)
    copy = _copy(g.batch)
    per_input = n * n * (n * n * _MAC + copy)
    per_output = m * m * (n * n * _MAC + copy + _COPY)
    per_weight = n * n * (r * r * _MAC + _WEIGHT)
    transforms = tiles * (g.channels * per_input + g.outputs * per_output)
    return products + transforms + g.outputs * channels * per_weight


def space_to_depth_time(g: Geometry, strided: type[SpaceToDepth]) -> float:
    """Nanoseconds of a forward pass with a `SpaceToDepth`, by estimate."""
    inner = within(g)
    image = inner.channels * prod(inner.size) * inner.batch
    return image * _copy(g.batch) + winograd_time(inner, strided.inner)


def _product(rows: int, inner: int, columns: int) -> float:
    """Nanoseconds of a matrix product: small ones do not earn back what they pack."""
    packing = (inner + 5) / inner * (columns + 8) / columns
    return rows * inner * columns * _MAC * packing


def _copy(run: int) -> float:
    """Nanoseconds to copy a value where so many follow each other."""
    return _SHORT_COPY.get(run, _COPY + _RUN / run)
