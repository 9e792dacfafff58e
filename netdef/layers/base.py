"""What a layer is: settings, shapes, forward, backward, and nothing about buffers or files.

A layer is a frozen dataclass whose fields are its checked prototxt settings. It says what it
needs (`shapes`, `params`, `buffers`) and computes into arrays that it is handed through a
`Forward` or a `Backward`. Who owns those arrays, in which order layers run, and on how many
threads is the plan's business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netdef.layers.filler import Filler

if TYPE_CHECKING:
    from netdef.data.reader import Context, Reader
    from netdef.data.writer import Writer
    from netdef.schema import LayerParameter

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
    """

    shape: Shape
    dtype: DTypeLike | None = None
    saved: bool = False
    lasting: bool = False


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
        fast: use compiled kernels where there are some.
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


class Layer(Generic[W]):
    """Base of all layers. A subclass is one prototxt type, in the file of that name.

    Class attributes say how the plan may treat the layer:

    Attributes:
        layout: where it computes; `layout_at` may depend on the settings.
        bottom_count: fewest and most bottoms; None for no limit.
        top_count: the same for tops.
        same_count: as many tops as bottoms.
        in_place: the top may be written over the bottom, value by value, and the bottom's
            gradient over the top's.
        reads_bottoms: backward reads the bottoms' values.
        reads_tops: backward reads the tops' values.
        accumulates: backward can add to a bottom's gradient (`Backward.adds`).
        loss: the first top is a loss: its loss_weight is 1 where none is given.
        no_gradient: bottoms that can have no gradient, such as labels.
        random: forward draws random numbers.
        forward_stages: methods that make up forward, one after the other; before each but the
            first all shards meet, so that it can read what its peers wrote (BatchNorm's sums).
        backward_stages: the same backward.
        finishes_blocks: forward calls `Forward.finish` for each block of its top, in CHWN.
        finishes_channels: those blocks are of whole channels; otherwise `first` means nothing.
        any_block: the layer's own epilogue takes blocks that are not of whole channels.
        kinks: values of the first bottom where the formula has no derivative; the gradient
            check keeps away from them.
        resizes: forward may find that its tops need other shapes than `shapes` said, and raise
            `TopsReshaped`.
    """

    type: ClassVar[str] = ""
    layout: ClassVar[Layout] = NCHW
    bottom_count: ClassVar[Count] = (1, 1)
    top_count: ClassVar[Count] = (1, 1)
    same_count: ClassVar[bool] = False
    in_place: ClassVar[bool] = False
    reads_bottoms: ClassVar[bool] = True
    reads_tops: ClassVar[bool] = True
    accumulates: ClassVar[bool] = False
    loss: ClassVar[bool] = False
    no_gradient: ClassVar[tuple[int, ...]] = ()
    random: ClassVar[bool] = False
    forward_stages: ClassVar[tuple[str, ...]] = ("forward",)
    backward_stages: ClassVar[tuple[str, ...]] = ("backward",)
    finishes_blocks: ClassVar[bool] = False
    finishes_channels: ClassVar[bool] = True
    any_block: ClassVar[bool] = False
    kinks: ClassVar[tuple[float, ...]] = ()
    resizes: ClassVar[bool] = False

    @classmethod
    def read(cls, message: LayerParameter, phase: Phase) -> Self:
        """Read the settings of a layer message.

        Args:
            message: the layer as written in the prototxt.
            phase: of the net that is built.

        Raises:
            FieldError: a setting is wrong; its path starts at the layer message.
        """
        del message, phase  # a type without settings reads nothing
        return cls()

    def shapes(self, bottoms: Shapes) -> Shapes:
        """Shapes of the tops, in Caffe's order of axes.

        Args:
            bottoms: shapes of the bottoms in Caffe's order of axes.

        Raises:
            BottomError: a bottom does not fit.
            FieldError: a setting does not fit the bottoms.
        """
        return bottoms

    def params(self, bottoms: Shapes) -> tuple[Learned, ...]:
        """The parameters the layer owns for bottoms of these shapes, in Caffe's order."""
        del bottoms
        return ()

    def macs(self, bottoms: Shapes, tops: Shapes) -> int:
        """Multiply-accumulates of one forward pass; layers without products count 0."""
        del bottoms, tops
        return 0

    def settings(self) -> str:
        """The settings that matter, in a few words for a drawing: `7×7/2 p3 →64`."""
        return ""

    def algorithm(self, site: Site) -> str:
        """The way it computes there, where it has a choice, as a plan prints it."""
        del site
        return ""

    def layout_at(self, bottoms: Shapes) -> Layout:
        """The layout for bottoms of these shapes (in Caffe's order)."""
        del bottoms
        return self.layout

    def is_view(self, bottoms: Shapes) -> bool:
        """Whether each top is its bottom's values unchanged, under a new shape or name."""
        del bottoms
        return False

    def joins(self, bottoms: Shapes) -> bool:
        """Whether the top is the bottoms, one after the other in memory, in its layout."""
        del bottoms
        return False

    def cuts(self, bottoms: Shapes) -> bool:
        """Whether the bottom is the tops, one after the other in memory, in its layout."""
        del bottoms
        return False

    def buffers(self, site: Site) -> Mapping[str, Buffer]:
        """Arrays needed besides blobs and params, by name."""
        del site
        return {}

    def stages(self, site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The methods that make up forward, and those of backward, at this site."""
        del site
        return self.forward_stages, self.backward_stages

    def whole_params(self, site: Site) -> bool:
        """Whether backward writes the params' gradients for the whole batch at once.

        All shards are then handed the same arrays; otherwise each has its own and the plan adds
        them up.
        """
        del site
        return False

    def has_epilogue(self, site: Site) -> bool:
        """Whether the layer can be done block by block by the one before it, in CHWN."""
        del site
        return False

    def epilogue(self, run: Forward[W]) -> Epilogue:
        """What to do to a block; only called where `has_epilogue`."""
        raise NotImplementedError

    def prepare(self, run: Forward[W]) -> W:
        """Make, once per plan, what every pass can use again: views, kernels.

        The result is `run.work` in forward and backward.
        """
        return None  # type: ignore[return-value]  # layers with W=None need no work

    def forward(self, run: Forward[W]) -> None:
        """Write the tops.

        Raises:
            BottomError: a bottom holds a value that cannot be used.
            TopsReshaped: the tops need other shapes; only from a layer that `resizes`.
        """
        raise NotImplementedError

    def backward(self, run: Backward[W]) -> None:
        """Write the wanted gradients of bottoms and params."""
        raise NotImplementedError


class TopsReshaped(Exception):
    """Forward found that its tops need other shapes than those it was handed.

    The net gives the tops these shapes, brings what follows into line, and calls forward again.

    Args:
        run: what forward was handed.
        shapes: of the tops, in Caffe's order of axes.
    """

    def __init__(self, run: Forward[Any], shapes: Shapes) -> None:
        super().__init__(f"the tops need the shapes {shapes}")
        self.run = run
        self.shapes = shapes


class OutsideLayer(Layer[W]):
    """A layer that takes something from outside the net: what a file holds, or a user's code.

    A net begins it once and keeps what `begin` gave for its whole life, whatever shapes change.

    Attributes:
        runs_code: `begin` runs code of the user's, so that a net which is only looked at leaves
            it alone.
    """

    runs_code: ClassVar[bool] = False

    @property
    def ready(self) -> bool:
        """Whether `shapes` can say anything yet."""
        return True

    def begin(self, context: Context, bottoms: Shapes) -> Self:
        """The layer with what it takes from outside.

        Args:
            context: phase and folders.
            bottoms: shapes of the bottoms in Caffe's order of axes.

        Raises:
            FieldError: it is missing, broken, or does not fit the settings.
        """
        raise NotImplementedError

    def code(self) -> str:
        """What of the user's `begin` runs, in words: "class `A` of module `b`"."""
        return ""


class SinkLayer(Layer["Writer"]):
    """A layer that hands its bottoms to a writer of batches: `work` is that writer."""

    top_count: ClassVar[Count] = (0, 0)
    reads_bottoms = False
    reads_tops = False

    def shapes(self, bottoms: Shapes) -> Shapes:
        """No tops."""
        del bottoms
        return ()

    def open(self, context: Context) -> Writer:
        """Make the writer; nothing is written before the first batch.

        Args:
            context: phase and folders.
        """
        raise NotImplementedError

    def forward(self, run: Forward[Writer]) -> None:
        """Write the bottoms."""
        run.work.write(run.bottoms)


class DataLayer(Layer["Reader"]):
    """A layer whose tops come from a reader of batches: `work` is that reader."""

    bottom_count: ClassVar[Count] = (0, 0)
    top_count: ClassVar[Count] = (1, None)
    reads_bottoms = False
    reads_tops = False

    def known_shapes(self, tops: tuple[str, ...]) -> Shapes | None:
        """Shapes of the tops as far as the settings alone tell them, in Caffe's order of axes.

        For nets that are looked at where their source is not there. None unless every shape is
        fully known.

        Args:
            tops: names of the tops.
        """
        del tops
        return None

    def open(self, context: Context, tops: tuple[str, ...]) -> Reader:
        """Open the source.

        Args:
            context: phase, seed and folders.
            tops: names of the tops that the net wants of it.

        Raises:
            FieldError: the source is missing, broken, or does not fit the settings.
        """
        raise NotImplementedError

    def forward(self, run: Forward[Reader]) -> None:
        """Fill the tops with the next batch."""
        run.work.read(run.tops)


_REGISTRY: dict[str, type[Layer[Any]]] = {}

L = TypeVar("L", bound=type[Layer[Any]])


def layer(type_name: str) -> Callable[[L], L]:
    """Register a class under Caffe's type name."""

    def register(cls: L) -> L:
        cls.type = type_name
        _REGISTRY[type_name] = cls
        return cls

    return register


def registered() -> Mapping[str, type[Layer[Any]]]:
    """The types whose files have been imported."""
    return _REGISTRY
