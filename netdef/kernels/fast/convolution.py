"""Where a compiled convolution takes the place of the one that the rule chooses."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.kernels.convolution.algorithm import Algorithm
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.rule import (
    choose,
    quickest,
    space_to_depth_time,
    winograd_time,
)
from netdef.kernels.convolution.space_to_depth import SpaceToDepth
from netdef.kernels.fast.depthwise import FastDepthwise
from netdef.kernels.fast.depthwise_few import FewDepthwise
from netdef.kernels.fast.direct import FastDirect
from netdef.kernels.fast.winograd import (
    FastSpaceToDepthF2,
    FastSpaceToDepthF4,
    FastSpaceToDepthF5,
    FastWinogradF2,
    FastWinogradF4,
    FastWinogradF5,
)

_MOVE = 0.9
"""Nanoseconds for a value of the image that Winograd transforms, on the rule's machine."""

_ALONG = 0.0125
"""Nanoseconds for a value of a transformed tile, for each of those that it is made of."""

_RUN = 4
"""Values that take as long as it takes to begin a run."""

_PUT = 0.7
"""What transforming back takes of all that."""


def choose_fast(
    geometry: Geometry, *, exact: bool, dx: bool, dw: bool, holds: bool = False
) -> type[Algorithm]:
    """The way to compute a two-dimensional convolution in CHWN.

    Args:
        geometry: of one shard.
        exact: only ways whose sums are those of the formula.
        dx: whether gradients of the input will be wanted.
        dw: whether gradients of the weights will be wanted.
        holds: what is made of the weights lasts for many passes.
    """
    g = geometry
    usual = choose(g, exact=exact, holds=holds)
    if usual.name == "depthwise":
        if not dx and not dw and FewDepthwise.pays(g):
            return FewDepthwise
        return FastDepthwise if FastDepthwise.pays(g) else usual
    if g.columns_are_input:
        return usual
    if not exact:
        usual = quickest(g, _looser(g, holds=holds))
    if dw and not dx and FastDirect.pays(g) and not issubclass(usual, SpaceToDepth):
        return FastDirect
    return usual


def fast_ways(
    geometry: Geometry, *, exact: bool, dx: bool, dw: bool
) -> tuple[type[Algorithm], ...]:
    """The compiled ways that can compute a convolution; arguments as of `choose_fast`."""
    g = geometry
    found: list[type[Algorithm]] = []
    if FastDepthwise.fits(g) and g.group > 1:
        found.append(FastDepthwise)
        if not dx and not dw and FewDepthwise.fits(g):
            found.append(FewDepthwise)
    if dw and not dx and not g.columns_are_input and FastDirect.pays(g):
        found.append(FastDirect)
    if not exact and not g.columns_are_input:
        found += [way for way, _ in _looser(g)]
    return tuple(found)


def tile_time(m: int, n: int, batch: int, across: int) -> tuple[float, float]:
    """As the rule's, with compiled transforms."""
    take = (m * m * _MOVE + n**3 * _ALONG) * (1 + _RUN / (across * batch))
    return take, _PUT * take


def _looser(g: Geometry, *, holds: bool = False) -> Iterator[tuple[type[Algorithm], float]]:
    """The ways that fit and have looser digits, each with its time."""
    for winograd in (FastWinogradF2, FastWinogradF4, FastWinogradF5):
        if winograd.fits(g):
            yield winograd, winograd_time(g, winograd, holds=holds, tile=tile_time)
    for strided in (FastSpaceToDepthF2, FastSpaceToDepthF4, FastSpaceToDepthF5):
        if strided.fits(g):
            yield strided, space_to_depth_time(g, strided, holds=holds, tile=tile_time)
