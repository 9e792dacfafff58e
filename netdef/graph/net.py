"""A net as the compiler sees it: layer nodes, blobs, params. Passes turn one into the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netdef.diag import Report, Span
from netdef.layers.base import Layer, Learned, Phase, Shape, Shapes
from netdef.layers.filler import Filler
from netdef.schema import LayerParameter, NetParameter
from netdef.schema.document import Document

Path = tuple[str | int, ...]

AUTOMATIC = "(automatic)"
"""How the names of tops begin that no prototxt wrote: losses without one."""


@dataclass(frozen=True, slots=True)
class State:
    """What decides which layers a net has: phase, level and stages.

    Attributes:
        phase: of the net.
        level: compared with the rules' min_level and max_level.
        stages: names that rules ask for with `stage` and refuse with `not_stage`.
    """

    phase: Phase = Phase.TEST
    level: int = 0
    stages: frozenset[str] = frozenset()

    def __str__(self) -> str:
        words = [self.phase.value]
        words += [f"level {self.level}"] if self.level else []
        words += [f"stage {stage}" for stage in sorted(self.stages)]
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Blob:
    """One value that a top holds. A layer in place makes a new version under the same name.

    Attributes:
        name: as in the prototxt; what users know it by is its last version.
        version: 0 for the first top of that name.
        producer: index of the node that writes it.
        top: which of that node's tops it is.
        consumers: (node, bottom) pairs that read this version, in order.
        shape: Caffe's order of axes; None where it cannot be known.
        loss_weight: weight with which its sum enters the loss; 0 for none.
        backward: whether the gradient of the loss by it is computed.
    """

    name: str
    version: int
    producer: int
    top: int
    consumers: tuple[tuple[int, int], ...] = ()
    shape: Shape | None = None
    loss_weight: float = 0.0
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a param by a layer.

    Attributes:
        node: index of the layer's node.
        index: which of the layer's params it is.
        lr_mult: this use's multiplier, as set or adopted.
        scale: what its gradient counts, lr_mult / the param's lr_mult.
    """

    node: int
    index: int
    lr_mult: float
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Param:
    """A learned blob: who owns it, who shares it, and how it trains.

    Attributes:
        name: of the `param` block; "" for one that cannot be shared.
        uses: the owner first.
        shape: the owner's.
        filler: of the owner.
        role: "weight", "bias", …, the owner's word.
        lr_mult: the rate it trains at is base_lr times this: the greatest of its uses'.
        decay_mult: the owner's.
        statistic: kept by the layer, not trained.
    """

    name: str
    uses: tuple[Use, ...]
    shape: Shape
    filler: Filler
    role: str
    lr_mult: float
    decay_mult: float
    statistic: bool = False

    @property
    def owner(self) -> Use:
        """The use that gives shape and filler."""
        return self.uses[0]

    @property
    def learns(self) -> bool:
        """Whether a solver changes it."""
        return self.lr_mult != 0 and not self.statistic


@dataclass(frozen=True, slots=True)
class Node:
    """A layer of the net.

    Attributes:
        message: as written.
        path: of the message in the document.
        layer: the compiled layer; None where its type or settings are not understood.
        bottoms: indices into `Net.blobs`; None for a bottom nobody makes.
        tops: indices into `Net.blobs`.
        learned: what the layer says of its params.
        params: indices into `Net.params`.
        propagate: for each bottom whether its gradient is computed.
        backward: whether the layer runs backward at all.
    """

    message: LayerParameter
    path: Path
    layer: Layer[Any] | None = None
    bottoms: tuple[int | None, ...] = ()
    tops: tuple[int, ...] = ()
    learned: tuple[Learned, ...] = ()
    params: tuple[int, ...] = ()
    propagate: tuple[bool, ...] = ()
    backward: bool = False

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.message.name

    @property
    def type(self) -> str:
        """The layer's type as written."""
        return self.message.type


# Opens a data layer's source to learn the shapes of its tops; None where they stay unknown.
Probe = Callable[[Node, Document], "Shapes | None"]


@dataclass(frozen=True)
class Net:
    """A net on its way through the passes; each fills in more.

    Attributes:
        document: the message and where its fields stand.
        state: phase, level and stages it is built for.
        nodes: layers, in the order of the file.
        blobs: every version of every blob, in the order made.
        params: learned blobs, in the order of their owners.
        input_shapes: shapes to use in place of what Input layers say, by blob name.
        looking: the net is only looked at: missing data is a warning, not an error, and
            nothing of the user's is imported.
        strict: what Caffe refuses and netdef takes is an error.
        roots: names of blobs that backward starts from besides the losses.
        resized: shapes that tops turned out to need when the net ran, by node.
        begun: layers that took something from outside, by node; a net that is compiled again is
            handed them, so that they are begun once.
    """

    document: Document
    state: State
    nodes: tuple[Node, ...] = ()
    blobs: tuple[Blob, ...] = ()
    params: tuple[Param, ...] = ()
    input_shapes: dict[str, Shape] = field(default_factory=dict)
    looking: bool = False
    strict: bool = False
    roots: frozenset[str] = frozenset()
    resized: Mapping[int, Shapes] = field(default_factory=dict)
    begun: dict[int, Layer[Any]] = field(default_factory=dict)

    @property
    def message(self) -> NetParameter:
        """The net as written."""
        return self.document.message  # type: ignore[return-value]

    @property
    def name(self) -> str:
        """The net's name, "" where it has none."""
        return self.message.name

    @property
    def phase(self) -> Phase:
        """The phase it is built for."""
        return self.state.phase

    def span(self, path: Path) -> Span | None:
        """Where a field stands, or the nearest known field around it."""
        return self.document.spans.find(path)

    def last(self) -> dict[str, int]:
        """Index of the last version of each blob, by name, in the order first made."""
        last: dict[str, int] = {}
        for index, blob in enumerate(self.blobs):
            last[blob.name] = index
        return last

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the blobs that Input layers make."""
        return tuple(
            self.blobs[top].name for n in self.nodes if n.type == "Input" for top in n.tops
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the blobs that no layer reads, in alphabetical order as in pycaffe."""
        unread = {blob.name for blob in self.blobs if not blob.consumers}
        return tuple(sorted(name for name in unread if not name.startswith(AUTOMATIC)))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a forward pass, as far as shapes are known."""
        macs = 0
        for node in self.nodes:
            bottoms, tops = self.bottom_shapes(node), self.top_shapes(node)
            if node.layer is not None and bottoms is not None and tops is not None:
                macs += node.layer.macs(bottoms, tops)
        return macs

    def bottom_shapes(self, node: Node) -> Shapes | None:
        """Shapes of a node's bottoms; None where one is unknown."""
        shapes = [None if b is None else self.blobs[b].shape for b in node.bottoms]
        return None if None in shapes else tuple(s for s in shapes if s is not None)

    def top_shapes(self, node: Node) -> Shapes | None:
        """Shapes of a node's tops; None where one is unknown."""
        shapes = [self.blobs[t].shape for t in node.tops]
        return None if None in shapes else tuple(s for s in shapes if s is not None)


Pass = Callable[[Net, Report], Net]
