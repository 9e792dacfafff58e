"""What a layer is told of where it will run."""

from __future__ import annotations

from netdef.layers.base import Site
from netdef.plan.program import Program, Step


def site_of(program: Program, step: Step, shard: int) -> Site:
    """Shapes, choices and shard of one run of a step."""

    def shape(index: int) -> tuple[int, ...]:
        shapes = program.array_shapes(program.values[index])
        return shapes[shard if step.sharded else 0]

    params = program.net.nodes[step.node].params
    force = program.net.message.force_backward
    images, first = _images(program, step, shard)
    return Site(
        step.layout,
        tuple(shape(b) for b in step.bottoms),
        tuple(shape(t) for t in step.tops),
        tuple(step.backward and wish for wish in step.propagate),
        tuple(step.backward and (program.net.params[p].learns or force) for p in params),
        program.options.dtype,
        program.options.exact,
        shard=shard,
        shards=program.shards if step.sharded else 1,
        images=images,
        first=first,
        fast=program.options.fast,
        tuner=program.options.tuner,
        holds=program.options.holds and not step.backward,
    )


def _images(program: Program, step: Step, shard: int) -> tuple[int, int]:
    """Images in the batch of the step's first blob, and the first of them in the shard."""
    value = program.values[(*step.bottoms, *step.tops)[0]]
    if not value.shape:
        return 0, 0
    return value.shape[0], program.bounds(value)[shard][0] if step.sharded else 0
