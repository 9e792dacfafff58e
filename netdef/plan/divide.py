"""The pass that shares out channels where there are no images to share out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from netdef.layers.base import Layout, Shape, Site
from netdef.plan.program import Lane, Program, Step
from netdef.plan.sites import site_of

_WORTH = 50_000_000
"""Multiply-accumulates of a forward pass from which on it is done: threads meet at most layers,
and each meeting takes as long as some hundred thousand of them."""

_EVEN = 16
"""Channels that BLAS and vector registers like to have in one piece."""


def divide(program: Program) -> None:
    """Cut steps by channels, for as many threads as there may be.

    Only in a net without backward whose batch is a single image. Layers fused into another are
    cut as it is, or none of them.
    """
    count = program.options.shards
    if not program.options.divide or count < 2 or program.shards > 1:
        return
    if any(step.backward for step in program.steps):
        return
    if program.net.macs < _WORTH:
        return
    for index, host in enumerate(program.steps):
        if host.fused_into >= 0:
            continue
        steps = [host, *(step for step in program.steps if step.fused_into == index)]
        found = [_lanes(program, step, count) for step in steps]
        own = all(lane.bottom is not None for lanes in found[1:] for lane in lanes)
        if own and all(found):
            for step, lanes in zip(steps, found, strict=True):
                step.lanes = lanes


def lane_site(program: Program, step: Step, number: int) -> Site:
    """What one lane's layer is told."""
    site, lane = site_of(program, step, 0), step.lanes[number]
    bottoms = tuple(_cut(shape, lane.bottom) for shape in site.bottoms)
    return replace(site, bottoms=bottoms, tops=tuple(_cut(shape, lane.top) for shape in site.tops))


def _lanes(program: Program, step: Step, count: int) -> tuple[Lane, ...]:
    """The step's channels for each of so many threads; nothing where they cannot be cut."""
    if step.layer is None or step.view or step.placed or step.layout is not Layout.CHWN:
        return ()
    if step.layer.random or not step.tops:
        return ()
    tops = [program.values[top].shape for top in step.tops]
    channels = tops[0][1] if len(tops[0]) > 1 else 0
    if channels < count or any(len(s) < 2 or s[1] != channels for s in tops):
        return ()
    bottoms = tuple(program.values[bottom].shape for bottom in step.bottoms)
    edges = _edges(channels, count)
    lanes = []
    for low, high in pairwise(edges):
        part = step.layer.part(bottoms, low, high)
        if part is None:
            return ()
        bottom = None if part.bottom is None else slice(*part.bottom)
        params = tuple(slice(low, high) if cut else slice(None) for cut in part.params)
        lanes.append(Lane(part.layer, bottom, slice(low, high), params))
    return tuple(lanes)


def _edges(channels: int, count: int) -> list[int]:
    """Where to cut: the same for all steps of so many channels."""
    unit = _EVEN if channels >= 2 * _EVEN * count else 1
    return [*(channels * i // (count * unit) * unit for i in range(count)), channels]


def _cut(shape: Shape, channels: slice | None) -> Shape:
    """A shape in CHWN of these channels alone."""
    return shape if channels is None else (channels.stop - channels.start, *shape[1:])
