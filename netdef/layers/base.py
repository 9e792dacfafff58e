"""What a layer is: settings, shapes, forward, backward, and nothing about buffers or files.

A layer is a frozen dataclass whose fields are its checked prototxt settings. It says what it
needs (`shapes`, `params`, `buffers`) and computes into arrays that it is handed through a
`Forward` or a `Backward`. Who owns those arrays, in which order layers run, and on how many
threads is the plan's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from netdef.layers.runs import (
    ANY,
    CHWN,
    NCHW,
    Array,
    Backward,
    Buffer,
    Count,
    Epilogue,
    Forward,
    Layout,
    Learned,
    Phase,
    Shape,
    Shapes,
    Site,
    Tuner,
    W,
)

if TYPE_CHECKING:
    from netdef.data.reader import Context, Reader
    from netdef.data.writer import Writer
    from netdef.schema import LayerParameter

__all__ = [
    "ANY",
    "CHWN",
    "NCHW",
    "Array",
    "Backward",
    "Buffer",
    "Count",
    "DataLayer",
    "Epilogue",
    "Forward",
    "Layer",
    "Layout",
    "Learned",
    "OutsideLayer",
    "Part",
    "Phase",
    "Shape",
    "Shapes",
    "SinkLayer",
    "Site",
    "TopsReshaped",
    "Tuner",
    "W",
    "layer",
    "registered",
]


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
        channelwise: each channel of the tops depends on that channel of the bottoms alone.
        resizes: forward may find that its tops need other shapes than `shapes` said, and raise
            `TopsReshaped`.
        writes_params: forward may write the params' values.
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
    channelwise: ClassVar[bool] = False
    resizes: ClassVar[bool] = False
    writes_params: ClassVar[bool] = False

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

    def part(self, bottoms: Shapes, low: int, high: int) -> Part | None:
        """A layer that gives some of the tops' channels; None where that cannot be.

        Only forward runs, on a single image.

        Args:
            bottoms: shapes of all channels, in Caffe's order of axes.
            low: the first channel of the tops.
            high: the one after the last.
        """
        del bottoms
        return Part(self, (low, high)) if self.channelwise else None

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

    def take_params(self, run: Forward[W]) -> None:
        """Fill the buffers that are held: before a pass, where params may have changed."""
        return

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


@dataclass(frozen=True, slots=True)
class Part:
    """Some channels of a layer's tops, as a layer of their own.

    Attributes:
        layer: with those channels alone.
        bottom: first channel of each bottom that it reads, and the one after the last; None for
            all of them.
        params: for each of the layer's params whether its first axis is the tops' channels.
    """

    layer: Layer[Any]
    bottom: tuple[int, int] | None
    params: tuple[bool, ...] = ()


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
