"""What a layer is told and handed: where it runs, arrays to read, arrays to write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.layers.filler import Filler

Array = NDArray[Any]
Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]
Count = tuple[int, int | None]

W = TypeVar("W")


class Phase(Enum):
    """Which of its two lives a net was built for."""

    TRAIN = "TRAIN"
    TEST = "TEST"


class Layout(Enum):
    """How the arrays that a layer is handed lie in memory.

    NCHW: Caffe's own order, the whole batch in one array.
    CHWN: the batch axis last, and one array for each shard of the batch; (N, C) is (C, N).
    ANY: as the first bottom has it; for layers that treat all values alike.
    """

    NCHW = "NCHW"
    CHWN = "CHWN"
    ANY = "any"


NCHW, CHWN, ANY = Layout


@dataclass(frozen=True, slots=True)
class Learned:
    """A parameter that a layer owns: what it is, its shape, how it starts.

    Attributes:
        role: "weight", "bias", "running mean": what people call it.
        shape: Caffe's shape.
        filler: fills it before training.
        statistic: kept by the layer itself, never touched by a solver (BatchNorm's).
    """

    role: str
    shape: Shape
    filler: Filler
    statistic: bool = False


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array that a layer needs besides its blobs.

    Attributes:
        shape: of the array.
        dtype: None for that of the blobs.
        saved: lives from forward to backward; otherwise it lasts one call and its memory is
            shared with other layers.
        lasting: lives from pass to pass, and a net's next plan takes it over; saved, too.
        held: `Layer.take_params` fills it with what it makes of params, which lives until they
            change; all shards have the same one where they ask for the same name and shape.
    """

    shape: Shape
    dtype: DTypeLike | None = None
    saved: bool = False
    lasting: bool = False
    held: bool = False

    @property
    def own(self) -> bool:
        """Whether its memory is shared with no other layer."""
        return self.saved or self.lasting or self.held


class Tuner(Protocol):
    """Picks the fastest of several ways to do the same, by trying them."""

    def pick(self, what: str, ways: Mapping[str, Callable[[], float]]) -> str:
        """The name of the fastest.

        Args:
            what: the work, with all sizes that decide.
            ways: by name, what measures it and returns seconds.
        """


@dataclass(frozen=True, slots=True)
class Site:
    """Where a layer will run. Shapes are those of the arrays it will be handed.

    Attributes:
        layout: NCHW or CHWN.
        bottoms: shape of each bottom array, in that layout, of one shard.
        tops: shape of each top array.
        wanted: for each bottom whether its gradient is wanted.
        learns: for each param whether its gradient is wanted.
        dtype: of blobs and params; float32 but for gradient checks.
        exact: use only arithmetic that keeps Caffe's digits (no Winograd).
        tuner: picks algorithms by time; None for the layer's own rule.
        shard: which shard of the batch this is.
        shards: how many run side by side.
        images: in the whole batch; 0 where there is no batch axis.
        first: the first of them that is in this shard.
        fast: use compiled kernels where they pay, which each layer's own rule says: most take
            images side by side, others long rows.
        holds: buffers may be held: nothing runs backward, and `take_params` is called.
    """

    layout: Layout
    bottoms: Shapes
    tops: Shapes
    wanted: tuple[bool, ...] = ()
    learns: tuple[bool, ...] = ()
    dtype: DTypeLike = np.float32
    exact: bool = False
    tuner: Tuner | None = None
    shard: int = 0
    shards: int = 1
    images: int = 0
    first: int = 0
    fast: bool = False
    holds: bool = False

    @property
    def backward(self) -> bool:
        """Whether backward will run at all."""
        return any(self.wanted) or any(self.learns)


class Epilogue(ABC):
    """What a layer does to a block of its bottom, in place, while it is still in cache.

    The layer before it calls it for each block of its top that is complete.
    """

    def start(self) -> None:
        """Make what all blocks of a pass need."""
        return

    @abstractmethod
    def apply(self, block: Array, first: int) -> None:
        """Turn bottom into top.

        Args:
            block: (…, channels, values) in CHWN, where channels are those from `first` on.
            first: the first channel.
        """

    def merged(self, after: Epilogue) -> Epilogue | None:
        """One epilogue that does both, where that is less work; None where it is not."""
        del after
        return None


class Forward(Generic[W]):
    """What a layer is handed to run forward: arrays to read and arrays to write.

    Attributes:
        site: shapes and choices, as `buffers` and `prepare` saw them.
        bottoms: arrays to read.
        tops: arrays to write; may be the bottoms themselves where the layer says `in_place`.
        params: the layer's learned arrays, in Caffe's shapes.
        work: what `prepare` returned.
        peers: the runs of all shards, its own included, in a fixed order.
        epilogues: what the plan lets the layer do to its top block by block, on behalf of the
            layers after it.
    """

    __slots__ = (
        "_buffers",
        "_random",
        "bottoms",
        "epilogues",
        "params",
        "peers",
        "site",
        "tops",
        "work",
    )

    def __init__(
        self,
        site: Site,
        bottoms: Sequence[Array],
        tops: Sequence[Array],
        params: Sequence[Array] = (),
        buffers: Mapping[str, Array] | None = None,
        random: Callable[[], np.random.Generator] | None = None,
    ) -> None:
        self.site = site
        self.bottoms = list(bottoms)
        self.tops = list(tops)
        self.params = list(params)
        self.work: W = None  # type: ignore[assignment]  # set by the plan once `prepare` ran
        self.peers: Sequence[Forward[W]] = [self]
        self.epilogues: list[Epilogue] = []
        self._buffers = buffers or {}
        self._random = random

    def bottom(self, index: int) -> Array:
        """The array of a bottom."""
        return self.bottoms[index]

    def top(self, index: int) -> Array:
        """The array of a top."""
        return self.tops[index]

    def param(self, index: int) -> Array:
        """The array of a parameter."""
        return self.params[index]

    def start_epilogues(self) -> None:
        """To be called once a pass, before the first `finish`."""
        for epilogue in self.epilogues:
            epilogue.start()

    def finish(self, block: Array, first: int) -> None:
        """Let the layers after this one do their part to a complete block of the top.

        Only for layers that say `finishes_blocks`; see `Epilogue.apply`.
        """
        for epilogue in self.epilogues:
            epilogue.apply(block, first)

    def buffer(self, name: str) -> Array:
        """An array that the layer asked for in `buffers`."""
        return self._buffers[name]

    @property
    def images(self) -> slice:
        """Which images of the whole batch this shard has."""
        first = self.site.first
        return slice(first, first + self.bottoms[0].shape[-1])

    @property
    def random(self) -> np.random.Generator:
        """Random numbers for this layer, this pass and this shard: the same in every run."""
        assert self._random is not None, "this run has no random numbers"
        return self._random()


class Backward(Forward[W]):
    """What a layer is handed to run backward; reads as in `Forward`, plus the gradients.

    A gradient array that is wanted is set, whatever it held before; only a layer that says
    `accumulates` may be asked to add to a bottom's (`adds`).
    """

    __slots__ = ("_adds", "bottom_diffs", "param_diffs", "top_diffs")

    def __init__(
        self,
        forward: Forward[W],
        top_diffs: Sequence[Array],
        bottom_diffs: Sequence[Array | None],
        param_diffs: Sequence[Array | None] = (),
        adds: Sequence[bool] = (),
    ) -> None:
        super().__init__(
            forward.site,
            forward.bottoms,
            forward.tops,
            forward.params,
            forward._buffers,
            forward._random,
        )
        self.work = forward.work
        self.peers: Sequence[Backward[W]] = [self]
        self.top_diffs = list(top_diffs)
        self.bottom_diffs = list(bottom_diffs)
        self.param_diffs = list(param_diffs)
        self._adds = tuple(adds) or (False,) * len(self.bottom_diffs)

    def top_diff(self, index: int) -> Array:
        """The gradient of the loss by a top, to read; zeros where no loss depends on it."""
        return self.top_diffs[index]

    def bottom_diff(self, index: int) -> Array | None:
        """Where to write the gradient by a bottom; None where nobody wants it."""
        return self.bottom_diffs[index]

    def param_diff(self, index: int) -> Array | None:
        """Where to write the gradient by a parameter; None where nobody wants it."""
        return self.param_diffs[index]

    def adds(self, index: int) -> bool:
        """Whether the gradient by a bottom is added to what its array holds, not set."""
        return self._adds[index]
