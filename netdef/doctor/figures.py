"""What was measured in a net while it trained for some iterations."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from statistics import median

from netdef.diag import Span
from netdef.doctor.spread import Spread
from netdef.graph import Net, Node
from netdef.schema.document import Document


@dataclass(frozen=True, slots=True)
class Poison:
    """The first value that was not finite.

    Attributes:
        iteration: in which it was seen.
        way: "forward" for a blob's data, "backward" for a blob's gradient, "weights" for what a
            layer learned, "gradient" for that of a param, "loss" where no blob shows it.
        layer: that made it.
        blob: name of the blob or param.
        index: of the value, in Caffe's order of axes.
        value: `nan`, `inf` or `-inf`.
        count: how many such values the blob has.
        span: where the layer stands in the file.
    """

    iteration: int
    way: str
    layer: str
    blob: str
    index: tuple[int, ...]
    value: float
    count: int
    span: Span | None

    def __str__(self) -> str:
        at = f" at index ({', '.join(map(str, self.index))})" if self.index else ""
        whats = {
            "forward": f"top `{self.blob}`",
            "backward": f"the gradient of `{self.blob}`",
            "weights": f"the {self.blob}",
            "gradient": f"the gradient of the {self.blob}",
            "loss": "the loss",
        }
        return f"{whats[self.way]} of `{self.layer}` is {self.value}{at}"


@dataclass(frozen=True, slots=True)
class BlobFigures:
    """A top of a layer, over all iterations.

    Attributes:
        node: index of the layer in the net.
        layer: its name.
        type: of the layer.
        blob: name of the top.
        data: its values.
        gradient: those of the loss by them; no values where none is computed.
        units: channels or outputs of a ReLU.
        dead: those that were never above 0; None for what is no ReLU.
        saturated: share of a Sigmoid's or TanH's values that are at their limits; None for
            other types.
    """

    node: int
    layer: str
    type: str
    blob: str
    data: Spread
    gradient: Spread
    units: int = 0
    dead: int | None = None
    saturated: float | None = None


@dataclass(frozen=True, slots=True)
class ParamFigures:
    """A learned param, over all iterations.

    Attributes:
        param: index in the net's params.
        node: index of the layer that owns it.
        layer: its name.
        name: of the `param` block, or its role and layer: "weight of `ip1`".
        role: "weight", "bias", ….
        data: the values at the start.
        gradient: all its gradients.
        ratios: L2 norm of each update by that of the values before it.
        learns: whether the solver changes it.
    """

    param: int
    node: int
    layer: str
    name: str
    role: str
    data: Spread
    gradient: Spread
    ratios: tuple[float, ...] = ()
    learns: bool = True

    @property
    def ratio(self) -> float:
        """The update's size beside the values', in the middle of all iterations."""
        return median(self.ratios) if self.ratios else nan


@dataclass(frozen=True, slots=True)
class Chance:
    """The loss of answers that know nothing of the input.

    Attributes:
        value: of the loss, its weight counted.
        words: how it comes about: "ln 10".
        blob: of the loss.
        node: index of the loss layer.
    """

    value: float
    words: str
    blob: str
    node: int


@dataclass(frozen=True, slots=True)
class LabelTest:
    """Whether the labels go with the data, from gradients with right and with swapped labels.

    Attributes:
        cosine: mean cosine between the batches of what the right labels add to the gradient:
            0 where labels tell nothing about the data.
        samples: examples seen.
        classes: that there are.
        blob: name of the labels.
        node: index of the layer that gives them.
    """

    cosine: float
    samples: int
    classes: int
    blob: str
    node: int


@dataclass(frozen=True)
class Figures:
    """All that was measured.

    Attributes:
        net: as compiled.
        solver: its file.
        rate: of the first update.
        losses: of each iteration.
        blobs: tops of all layers, in the order of the net.
        params: in the order of the net.
        chance: of the first loss; None where nothing can be said.
        poison: the first value that is not finite; None where all are.
        labels: None where the test does not apply.
        copied: names of layers whose weights came from a file.
    """

    net: Net
    solver: Document
    rate: float
    losses: tuple[float, ...]
    blobs: tuple[BlobFigures, ...]
    params: tuple[ParamFigures, ...]
    chance: Chance | None = None
    poison: Poison | None = None
    labels: LabelTest | None = None
    copied: frozenset[str] = frozenset()

    def node(self, figures: BlobFigures | ParamFigures) -> Node:
        """The layer that something was measured at."""
        return self.net.nodes[figures.node]

    @property
    def weights(self) -> tuple[ParamFigures, ...]:
        """Params that multiply their input and learn, with a gradient."""
        return tuple(
            p
            for p in self.params
            if p.learns and p.gradient.count and len(self.net.params[p.param].shape) > 1
        )
