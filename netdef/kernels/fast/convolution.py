"""Where a compiled convolution takes the place of the one that the rule chooses."""

from __future__ import annotations

from netdef.kernels.convolution.algorithm import Algorithm
from netdef.kernels.convolution.geometry import Geometry
from netdef.kernels.convolution.rule import choose
from netdef.kernels.fast.depthwise import FastDepthwise
from netdef.kernels.fast.direct import FastDirect


def choose_fast(geometry: Geometry, *, exact: bool, dx: bool, dw: bool) -> type[Algorithm]:
    """The way to compute a two-dimensional convolution in CHWN.

    Args:
        geometry: of one shard.
        exact: only ways whose sums are those of the formula; those here are.
        dx: whether gradients of the input will be wanted.
        dw: whether gradients of the weights will be wanted.
    """
    usual = choose(geometry, exact=exact)
    if usual.name == "depthwise" and FastDepthwise.fits(geometry):
        return FastDepthwise
    if dw and not dx and not geometry.columns_are_input and FastDirect.pays(geometry):
        return FastDirect
    return usual


def fast_ways(geometry: Geometry, *, dx: bool, dw: bool) -> tuple[type[Algorithm], ...]:
    """The compiled ways that can compute a convolution; arguments as of `choose_fast`."""
    found: list[type[Algorithm]] = []
    if FastDepthwise.fits(geometry) and geometry.group > 1:
        found.append(FastDepthwise)
    if dw and not dx and not geometry.columns_are_input and FastDirect.pays(geometry):
        found.append(FastDirect)
    return tuple(found)
