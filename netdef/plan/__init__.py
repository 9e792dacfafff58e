"""A net as ordered steps over owned buffers: layouts, shared memory, sums, shards.

Knows layers by what they declare, and memory. Has never heard of prototxt, files, threads or
what a solver does with gradients.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netdef.graph import Net
from netdef.layers.base import Array
from netdef.plan.allocate import allocate
from netdef.plan.bind import bind
from netdef.plan.divide import divide
from netdef.plan.fuse import fuse
from netdef.plan.lower import lower
from netdef.plan.place_parts import place_joined, place_slices
from netdef.plan.program import Options, ParamGradient, PlanPass, Program, Step, Value
from netdef.plan.share_memory import run_in_place, share_views
from netdef.plan.sum_gradients import sum_gradients

LOWERING: tuple[PlanPass, ...] = (
    lower,  # nodes become steps, each in its layout, with conversions between
    share_views,  # reshapes and splits lie in their bottom's memory
    place_slices,  # what a Slice cuts lies in its bottom's memory
    run_in_place,  # layers write over their bottom where nobody misses it
    fuse,  # layers in place do their work while their bottom is in cache
    place_joined,  # what a Concat joins lies in its top's memory
    divide,  # a single image is cut by channels
    sum_gradients,  # who sets a gradient, who adds
    allocate,  # memory for every value
    bind,  # every step gets its arrays
)

# (node, shard) -> a maker of generators: the same numbers for the same pass in every run.
Random = Callable[[int, int], Callable[[], np.random.Generator]]


def make_plan(net: Net, params: list[Array], options: Options, random: Random) -> Program:
    """Lower a compiled net without errors to a program that can run.

    Args:
        net: as the graph's passes left it, every layer and shape known.
        params: data array of each of the net's params, in Caffe's shapes.
        options: the user's choices.
        random: makes the generators of layers that draw random numbers.
    """
    program = Program(net, options, params, random)
    for run_pass in LOWERING:
        run_pass(program)
    return program


__all__ = ["LOWERING", "Options", "ParamGradient", "Program", "Step", "Value", "make_plan"]
