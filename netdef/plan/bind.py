"""The pass that hands every step its arrays: blobs, params, buffers, gradients."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from netdef.kernels.memory import ALIGNMENT
from netdef.layers.base import Array, Backward, Buffer, Forward, Layout, Shape, Site
from netdef.plan.allocate import rows
from netdef.plan.divide import lane_site
from netdef.plan.program import ParamGradient, Part, Program, Step, Value
from netdef.plan.sites import site_of


def bind(program: Program) -> None:
    """Make each step's runs, one a shard, and let the layers prepare.

    Buffers that must last from forward to backward are the step's own; the others lie in one
    arena a shard, which all its steps use in turn.
    """
    wanted: list[tuple[int, int, dict[str, Buffer]]] = []
    arena = [0] * program.lanes
    for index, step in enumerate(program.steps):
        if step.layer is None or step.view:
            continue
        for shard in range(len(step.lanes) or (program.shards if step.sharded else 1)):
            make = lane_site if step.lanes else site_of
            site = program.sites[index, shard] = make(program, step, shard)
            buffers = dict(step.layer_of(shard).buffers(site))
            wanted.append((index, shard, buffers))
            size = sum(_size(b, site) for b in buffers.values() if not b.own)
            arena[shard] = max(arena[shard], size + _adder_size(step, site))
    arenas = [program.options.zeros(size, np.uint8) for size in arena]
    program.bytes["scratch"] = sum(arena)
    program.bytes["saved"] = program.bytes["held"] = 0
    for index, shard, buffers in wanted:
        _bind_layer(program, index, shard, buffers, arenas[shard])
    for step in program.steps:
        if step.layer is None or step.view:
            _bind_copy(program, step)
        _bind_epilogue(step)
        for run in () if step.lanes else (*step.forward_runs, *step.backward_runs):
            run.peers = step.backward_runs if isinstance(run, Backward) else step.forward_runs
    _bind_param_gradients(program)


def _size(buffer: Buffer, site: Site) -> int:
    size = prod(buffer.shape) * np.dtype(buffer.dtype or site.dtype).itemsize
    return -(-size // ALIGNMENT) * ALIGNMENT


def _adder_size(step: Step, site: Site) -> int:
    """Scratch for gradients that a layer can only set but that must be added."""
    return sum(_size(b, site) for b in _adder_buffers(step, site).values())


def _adder_buffers(step: Step, site: Site) -> dict[int, Buffer]:
    if step.layer is None or step.layer.accumulates:
        return {}
    return {i: Buffer(site.bottoms[i]) for i, adds in enumerate(step.adds) if adds}


def _bind_layer(
    program: Program, index: int, shard: int, buffers: Mapping[str, Buffer], arena: Array
) -> None:
    step, site = program.steps[index], program.sites[index, shard]
    layer = step.layer_of(shard)
    lane = step.lanes[shard] if step.lanes else None
    node = program.net.nodes[step.node]
    used = 0
    arrays: dict[str, Array] = {}
    for name, buffer in buffers.items():
        dtype = np.dtype(buffer.dtype or site.dtype)
        if buffer.held:
            arrays[name] = _held(program, step, shard, name, buffer.shape, dtype)
        elif buffer.own:
            arrays[name] = program.options.zeros(buffer.shape, dtype)
            program.bytes["saved"] += arrays[name].nbytes
        else:
            arrays[name], used = _carve(arena, used, buffer, site)

    def of(value: Value, kept: list[Array], channels: slice | None = None) -> Array:
        array = kept[shard if value.layout is Layout.CHWN and lane is None else 0]
        return array if channels is None else array[channels]

    bottoms = [program.values[b] for b in step.bottoms]
    tops = [program.values[t] for t in step.tops]
    random = program.random(step.node, shard) if layer.random else None
    params = [program.params[p] for p in node.params]
    read = written = None
    if lane is not None:
        read, written = lane.bottom, lane.top
        params = [param[rows] for param, rows in zip(params, lane.params, strict=True)]
    forward: Forward[Any] = Forward(
        site,
        [of(v, v.arrays, read) for v in bottoms],
        [of(v, v.arrays, written) for v in tops],
        params,
        arrays,
        random,
    )
    forward.work = layer.prepare(forward)
    step.forward_runs.append(forward)
    if not step.backward:
        return
    diffs = [of(v, v.diffs) if w else None for v, w in zip(bottoms, site.wanted, strict=True)]
    adders = []
    for i, buffer in _adder_buffers(step, site).items():
        scratch, used = _carve(arena, used, buffer, site)
        target = diffs[i]
        assert target is not None
        adders.append((scratch, target))
        diffs[i] = scratch
    step.adders.append(adders)
    adds = step.adds if layer.accumulates else ()
    step.backward_runs.append(
        Backward(forward, [of(v, v.diffs) for v in tops], diffs, [None] * len(params), adds)
    )


def _held(
    program: Program, step: Step, run: int, name: str, shape: Shape, dtype: DTypeLike
) -> Array:
    """An array that the first run to want it fills, for all shards: they have the same params."""
    key = name, shape, run if step.lanes else 0
    if key not in step.held:
        step.held[key] = program.options.zeros(shape, dtype)
        program.bytes["held"] += step.held[key].nbytes
        if run not in step.takers:
            step.takers.append(run)
    return step.held[key]


def _carve(arena: Array, used: int, buffer: Buffer, site: Site) -> tuple[Array, int]:
    dtype = np.dtype(buffer.dtype or site.dtype)
    size = prod(buffer.shape) * dtype.itemsize
    array = arena[used : used + size].view(dtype).reshape(buffer.shape)
    return array, used + _size(buffer, site)


def _bind_epilogue(step: Step) -> None:
    """Make what the step that this one is fused into will call."""
    if step.fused_into < 0:
        return
    step.epilogues = [step.layer_of(i).epilogue(run) for i, run in enumerate(step.forward_runs)]


def _bind_copy(program: Program, step: Step) -> None:
    """Hand a copy, or a view that cannot share, its arrays with matching axes."""
    bottom = program.values[step.bottoms[0]]
    site = Site(step.layout, (), ())
    for shard in range(program.shards if step.sharded else 1):
        tops = [program.values[t] for t in step.tops]
        if step.layer is None:
            pairs = [
                (
                    rows(program, bottom, bottom.arrays, shard),
                    rows(program, tops[0], tops[0].arrays, shard),
                )
            ]
            diffs = (
                [
                    (
                        rows(program, bottom, bottom.diffs, shard),
                        rows(program, tops[0], tops[0].diffs, shard),
                    )
                ]
                if step.backward
                else []
            )
        else:
            pairs = [(bottom.arrays[shard], bottom.arrays[shard])]  # shared: nothing to do
            diffs = [
                (bottom.diffs[shard], top.diffs[shard].reshape(bottom.diffs[shard].shape))
                for top in tops
                if step.backward and step.propagate[0]
            ]
        forward: Forward[Any] = Forward(site, [pairs[0][0]], [pairs[0][1]])
        step.forward_runs.append(forward)
        step.backward_runs.append(Backward(forward, [d[1] for d in diffs], [d[0] for d in diffs]))


def _bind_param_gradients(program: Program) -> None:
    found: dict[int, ParamGradient] = {}
    for index, step in enumerate(program.steps):
        if not step.backward or step.layer is None or step.view:
            continue
        site = program.sites[index, 0]
        for position, param in enumerate(program.net.nodes[step.node].params):
            if not site.learns[position]:
                continue
            uses = program.net.params[param].uses
            scale = next(u.scale for u in uses if (u.node, u.index) == (step.node, position))
            gradient = found.setdefault(param, ParamGradient(param, []))
            runs = step.backward_runs
            groups = [runs] if step.layer.whole_params(site) else [[run] for run in runs]
            gradient.parts += [Part(index, scale, position, group) for group in groups]
    program.gradients = [found[param] for param in sorted(found)]
    for gradient in program.gradients:
        data = program.params[gradient.param]
        # the last part is the first to be added, so it may start the sum where it belongs
        starts = gradient.parts[-1].scale == 1
        for part in gradient.parts[:-1] if starts else gradient.parts:
            part.array = program.options.zeros(data.shape, data.dtype)
            part.aim(part.array)
            program.bytes["saved"] += part.array.nbytes
