"""A net as ordered steps over values; the passes of the plan fill in where each value lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from netdef.graph import Net
from netdef.kernels.memory import aligned_zeros
from netdef.layers.base import Array, Backward, Epilogue, Forward, Layer, Layout, Shape, Site, Tuner


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chooses about how a net runs.

    Attributes:
        shards: parts of the batch that are computed side by side, one thread each.
        keep: names of blobs that can be looked at afterwards; None for all.
        exact: only arithmetic that keeps Caffe's digits.
        dtype: of all blobs and params.
        in_place: let layers write over their bottoms where nothing is lost by it.
        fuse: let a layer finish its top for the layers in place after it.
        divide: cut a single image by channels. Threads would meet so often that BLAS does better
            with as many of its own; processes do not wait for Python's lock.
        fast: compiled kernels where there are some.
        tuner: picks algorithms by time; None for rules that give the same in every run.
        zeros: makes arrays, as `aligned_zeros` does or where other processes see them too.
        holds: what layers make of params in `take_params` is held from pass to pass; who runs
            the program calls that where params may have changed.
    """

    shards: int = 1
    keep: frozenset[str] | None = None
    exact: bool = False
    dtype: Any = np.float32
    in_place: bool = True
    fuse: bool = True
    divide: bool = False
    fast: bool = False
    tuner: Tuner | None = None
    zeros: Callable[..., Array] = aligned_zeros
    holds: bool = False


@dataclass(slots=True)
class Value:
    """A version of a blob, in one layout.

    Attributes:
        name: of the blob.
        blob: index of the graph's blob; a copy in another layout has that of its original.
        shape: in Caffe's order of axes.
        layout: NCHW or CHWN.
        step: index of the step that makes it.
        copy: made by the plan, invisible to users.
        consumers: (step, bottom) pairs, in order.
        gradient: whether the gradient by it is computed.
        kept: it is still there after a forward pass.
        seed: the loss weight that its gradient starts from; 0 for none.
        memory: the value whose memory it lies in, itself unless shared.
        offset: where in that memory: values for each image in CHWN, values in NCHW.
        diff_memory: the value in whose gradient's memory its gradient lies, -1 for its own.
        diff_offset: where in that.
        diff_kept: its gradient is still there after a backward pass.
        arrays: its data, one array a shard for CHWN, one for NCHW.
        diffs: its gradient likewise; empty where there is none.
    """

    name: str
    blob: int
    shape: Shape
    layout: Layout
    step: int
    copy: bool = False
    consumers: list[tuple[int, int]] = field(default_factory=list)
    gradient: bool = False
    kept: bool = True
    seed: float = 0.0
    memory: int = -1
    offset: int = 0
    diff_memory: int = -1
    diff_offset: int = 0
    diff_kept: bool = True
    arrays: list[Array] = field(default_factory=list)
    diffs: list[Array] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lane:
    """Channels of a step that one thread computes, where there is one image to compute.

    Attributes:
        layer: with those channels alone.
        bottom: those it reads of each bottom; None for all of them.
        top: those it writes of each top.
        params: the rows of each param that are theirs.
    """

    layer: Layer[Any]
    bottom: slice | None
    top: slice
    params: tuple[slice, ...]


@dataclass(slots=True)
class Step:
    """One layer to run, or a copy from one value to another.

    Attributes:
        node: index of the graph's node; a copy has that of the layer that wants it.
        layer: what to run; None for a copy: another layout, or a view where views cannot share.
        layout: where it computes.
        bottoms: indices of values.
        tops: indices of values.
        propagate: for each bottom whether its gradient is computed.
        backward: whether it runs backward.
        view: its tops lie in its bottoms' memory, so forward has nothing to do.
        placed: its tops and bottoms are parts of each other, so forward has nothing to do.
        view_diff: its bottoms' gradients lie in its tops', so backward has nothing to do.
        fused_into: index of the step that does its forward work block by block; -1 for none.
        lanes: channels for each thread; none where it is not cut by channels.
        adds: for each bottom whether its gradient is added to what other steps wrote.
        epilogues: what the step it is fused into calls, one a shard.
        held: buffers that `take_params` fills, by name, shape and lane.
        takers: numbers of the forward runs that fill them, which then serve all.
        forward_runs: what to hand the layer forward, one a shard, or one for the whole batch.
        backward_runs: the same backward.
        adders: for each bottom that the layer cannot add to by itself: (scratch, diff) arrays,
            by shard.
    """

    node: int
    layer: Layer[Any] | None
    layout: Layout
    bottoms: tuple[int, ...]
    tops: tuple[int, ...]
    propagate: tuple[bool, ...] = ()
    backward: bool = False
    view: bool = False
    placed: bool = False
    view_diff: bool = False
    fused_into: int = -1
    lanes: tuple[Lane, ...] = ()
    adds: tuple[bool, ...] = ()
    epilogues: list[Epilogue] = field(default_factory=list)
    held: dict[tuple[str, Shape, int], Array] = field(default_factory=dict)
    takers: list[int] = field(default_factory=list)
    forward_runs: list[Forward[Any]] = field(default_factory=list)
    backward_runs: list[Backward[Any]] = field(default_factory=list)
    adders: list[list[tuple[Array, Array]]] = field(default_factory=list)

    @property
    def sharded(self) -> bool:
        """Whether it runs once for each shard, side by side."""
        return self.layout is Layout.CHWN or self.layer is None

    @property
    def apart(self) -> bool:
        """Whether several threads run it, for shards or for channels."""
        return len(self.forward_runs) > 1

    def layer_of(self, run: int) -> Layer[Any]:
        """The layer of a run: of a lane its own."""
        layer = self.lanes[run].layer if self.lanes else self.layer
        assert layer is not None
        return layer


@dataclass(slots=True)
class Part:
    """What one use of a param, in one shard or in all, adds to its gradient.

    Attributes:
        step: index of the step that writes it.
        scale: what it counts.
        position: which of the layer's params it is.
        runs: those that write it.
        array: where they do; None for straight into the param's gradient.
    """

    step: int
    scale: float
    position: int
    runs: list[Backward[Any]]
    array: Array | None = None

    def aim(self, array: Array) -> None:
        """Let the runs write into an array."""
        for run in self.runs:
            run.param_diffs[self.position] = array


@dataclass(slots=True)
class ParamGradient:
    """How a param's gradient adds up.

    Attributes:
        param: index into the graph's params.
        parts: one for each use and shard, in a fixed order.
    """

    param: int
    parts: list[Part]


@dataclass
class Program:
    """A net on its way to being runnable.

    Attributes:
        net: the compiled graph.
        options: the user's choices.
        params: data arrays of the params, owned by the caller.
        shards: bounds are made for this many; at most the smallest batch.
        steps: in order of running forward.
        values: in the order made.
        gradients: one for each param that learns.
        sites: shapes that each step's layer was told, by step and shard.
        bytes: memory by what it is for.
    """

    net: Net
    options: Options
    params: list[Array]
    random: Callable[[int, int], Callable[[], np.random.Generator]]
    shards: int = 1
    steps: list[Step] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    gradients: list[ParamGradient] = field(default_factory=list)
    sites: dict[tuple[int, int], Site] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    @property
    def lanes(self) -> int:
        """Threads that work on it side by side, on shards or on channels."""
        return max([self.shards, *(len(step.lanes) for step in self.steps)])

    def last(self) -> dict[str, Value]:
        """The value users know by each blob's name.

        That is the last version, but the first for an Input blob: what users write there must
        be what forward reads.
        """
        found: dict[str, Value] = {}
        for value in self.values:
            if value.copy or (value.name in found and self.is_input(found[value.name])):
                continue
            found[value.name] = value
        return found

    def is_input(self, value: Value) -> bool:
        """Whether the value is a user's to write."""
        return self.net.nodes[self.steps[value.step].node].type == "Input"

    def is_source(self, value: Value) -> bool:
        """Whether a layer without bottoms makes it: its values may have to last."""
        return not self.steps[value.step].bottoms

    def bounds(self, value: Value) -> list[tuple[int, int]]:
        """First and last (exclusive) image of each shard."""
        images = value.shape[0] if value.shape else 1
        cuts = [images * s // self.shards for s in range(self.shards + 1)]
        return list(pairwise(cuts))

    def lasting(self) -> Iterator[tuple[tuple[int, int, str], Array]]:
        """Buffers that live from pass to pass, by node, shard and name."""
        for (index, shard), site in self.sites.items():
            step = self.steps[index]
            for name, buffer in step.layer_of(shard).buffers(site).items():
                if buffer.lasting:
                    yield (step.node, shard, name), step.forward_runs[shard].buffer(name)

    def stretch(self, value: Value) -> int:
        """How much memory a value takes, in the unit of `Value.offset`."""
        count = prod(value.shape)
        return count if value.layout is Layout.NCHW or not count else count // value.shape[0]

    def array_shapes(self, value: Value) -> list[Shape]:
        """Shapes of the value's arrays, one a shard for CHWN."""
        if value.layout is Layout.NCHW:
            return [value.shape]
        return [(*value.shape[1:], high - low) for low, high in self.bounds(value)]


PlanPass = Callable[[Program], None]
