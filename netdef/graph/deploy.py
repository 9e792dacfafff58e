"""The net for deploying, derived from a net for training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netdef.diag import Report
from netdef.graph.compile import compile_net
from netdef.graph.deploy_problems import (
    HeadLeftOut,
    InputShapeUnknown,
    NoSuchInput,
    NothingToDeploy,
)
from netdef.graph.net import Net, Node, Path, State
from netdef.layers.base import Phase, Shape, SinkLayer
from netdef.schema import LayerParameter, NetParameter
from netdef.schema.document import Document
from netdef.text import SpanMap

# What a loss computes inside, which is what a deployed net is asked for.
_PREDICTS = {
    "SoftmaxWithLoss": "Softmax",
    "InfogainLoss": "Softmax",
    "SigmoidCrossEntropyLoss": "Sigmoid",
}
_SCORES = ("Accuracy", "Silence")
_FILLERS = ("weight_filler", "bias_filler", "filler")
_CONSTANTS = ("Parameter", "DummyData")
_TRAINING = ("include", "exclude", "propagate_down", "loss_weight", "phase")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A net for deploying.

    Attributes:
        message: the net.
        places: where its fields stand in the training net's text.
        notes: comment lines for layers, by path.
    """

    message: NetParameter
    places: SpanMap
    notes: dict[Path, list[str]]


def deploy(
    document: Document,
    report: Report,
    *,
    input_shapes: dict[str, Shape] | None = None,
    level: int = 0,
    stages: frozenset[str] = frozenset(),
) -> Deployed | None:
    """Derive the net for deploying.

    It is the net of the TEST phase up to where losses and scores begin. Data layers become
    Input layers, a batch of one; losses that contain a softmax or a sigmoid become that layer;
    labels, scores, rules, rates and fillers go, and so does Dropout in place. Layers that are
    left keep their names, by which weights are copied.

    Args:
        document: the net for training, in the current syntax.
        report: where problems go.
        input_shapes: shapes of inputs, by blob name.
        level: of the state that is deployed.
        stages: of the state that is deployed.

    Returns:
        The net; None where its inputs' shapes are not known, or there is nothing to deploy.
    """
    shapes = input_shapes or {}
    net = compile_net(
        document, State(Phase.TEST, level, stages), Report(), looking=True, input_shapes=shapes
    )
    heads = _Heads(net, report)
    heads.of_losses(net)
    if not heads.losses:
        heads.of_losses(
            compile_net(document, State(Phase.TRAIN, level, stages), Report(), looking=True)
        )
    heads.of_outputs()
    if not heads.roots:
        report.add(
            NothingToDeploy(
                "the net computes nothing that could be deployed", document.spans.find(())
            )
        )
        return None
    return _Writer(net, heads, shapes, report).write()


@dataclass(frozen=True, slots=True)
class _Prediction:
    """A layer in the place of a loss."""

    type: str
    loss: Node
    blob: int


class _Heads:
    """Where the deploy net ends."""

    def __init__(self, net: Net, report: Report) -> None:
        self._net = net
        self._report = report
        self.roots: dict[int, None] = {}  # blobs that are results, or that heads read
        self.predictions: list[_Prediction] = []
        self.losses = 0
        self._learned = _learned_blobs(net)

    def of_losses(self, net: Net) -> None:
        """Look at the losses of a net: the one that is deployed, or that of the other phase."""
        own = net is self._net
        losses = [node for node in net.nodes if is_loss(node)]
        self.losses += len(losses)
        last = self._net.last()
        for node in losses:
            bottoms = [
                blob if own or blob is None else last.get(net.blobs[blob].name)
                for blob in node.bottoms
            ]
            if not bottoms or bottoms[0] is None:
                continue
            main = _main_loss(net, node, losses)
            if main is not None:
                self._report.add(
                    HeadLeftOut(
                        f"loss `{node.name}` weighs less than `{main.name}` and is left out",
                        net.span((*node.path, "name")),
                    )
                )
            else:
                self._of_loss(node, [b for b in bottoms if b is not None])

    def _of_loss(self, node: Node, bottoms: list[int]) -> None:
        kind = _PREDICTS.get(node.type)
        if kind is None:
            computed = [b for b in bottoms if b in self._learned] or bottoms[:1]
            self.roots |= dict.fromkeys(computed)
            return
        blob = bottoms[0]
        self.roots[blob] = None
        if not any(n.type == kind and n.bottoms[:1] == (blob,) for n in self._net.nodes):
            self.predictions.append(_Prediction(kind, node, blob))

    def of_outputs(self) -> None:
        """Blobs that nobody reads, except scores and what comes from data alone."""
        net = self._net
        scored: dict[int, None] = {}
        for blob in range(len(net.blobs)):
            maker = net.nodes[net.blobs[blob].producer]
            if is_end(maker):
                continue
            readers = [net.nodes[node] for node, _ in net.blobs[blob].consumers]
            if not readers and maker.bottoms and (blob in self._learned or not self.losses):
                self.roots[blob] = None
            elif readers and all(is_end(r) for r in readers) and blob in self._learned:
                scored[blob] = None
        if not self.roots:
            self.roots |= scored


def is_loss(node: Node) -> bool:
    """Whether a layer's tops are part of what training makes smaller."""
    return node.type.endswith("Loss") or any(node.message.loss_weight)


def is_end(node: Node) -> bool:
    """Whether a layer is of no use once a net is trained: a loss, a score, a file written."""
    return is_loss(node) or node.type in _SCORES or isinstance(node.layer, SinkLayer)


def _learned_blobs(net: Net) -> set[int]:
    """Blobs that depend on learned values."""
    found: set[int] = set()
    for node in net.nodes:
        unknown = node.layer is None  # it may learn
        if node.learned or unknown or any(b in found for b in node.bottoms):
            found.update(node.tops)
    return found


def _main_loss(net: Net, node: Node, losses: list[Node]) -> Node | None:
    """A loss of the same type on the same labels that weighs more."""
    weight = sum(node.message.loss_weight) if node.message.loss_weight else 1.0
    for other in losses:
        same = other.type == node.type and other.bottoms[1:2] == node.bottoms[1:2]
        theirs = sum(other.message.loss_weight) if other.message.loss_weight else 1.0
        if other is not node and same and node.bottoms[1:] and theirs > weight:
            return other
    return None


class _Writer:
    """Makes the message of the deploy net."""

    def __init__(
        self, net: Net, heads: _Heads, input_shapes: dict[str, Shape], report: Report
    ) -> None:
        self._net = net
        self._heads = heads
        self._input_shapes = input_shapes
        self._report = report
        self._aliases: dict[Path, Path] = {}
        self._notes: dict[Path, list[str]] = {}
        self._message = NetParameter()
        self._used: set[str] = set()
        self._wanted = self._reached()

    def write(self) -> Deployed | None:
        """The net; None where an input has no shape."""
        message, net = self._message, self._net
        if net.message.HasField("name"):
            message.name = net.message.name
        before = len(self._report.errors)
        data = [n for n in net.nodes if self._is_data(n)]
        for position, node in enumerate(net.nodes):
            tops = [k for k, top in enumerate(node.tops) if top in self._wanted]
            for prediction in self._heads.predictions:
                if prediction.loss is node:
                    self._add_prediction(prediction)
            if not tops or is_end(node) or _is_nothing(node):
                continue
            constant = node.type in _CONSTANTS and (data or node.type == "Parameter")
            if not node.message.bottom and not constant:
                self._add_input(node, tops)
            else:
                self._add_layer(net.nodes[position])
        for prediction in self._heads.predictions:
            if prediction.loss not in net.nodes:  # one of the TRAIN phase only
                self._add_prediction(prediction)
        self._unknown_inputs()
        if len(self._report.errors) > before:
            return None
        return Deployed(message, net.document.spans.with_aliases(self._aliases), self._notes)

    def _reached(self) -> set[int]:
        """Blobs that the results depend on."""
        wanted: set[int] = set()
        stack = list(self._heads.roots)
        while stack:
            blob = stack.pop()
            if blob not in wanted:
                wanted.add(blob)
                maker = self._net.nodes[self._net.blobs[blob].producer]
                stack += [b for b in maker.bottoms if b is not None]
        return wanted

    def _is_data(self, node: Node) -> bool:
        wanted = any(top in self._wanted for top in node.tops)
        return wanted and not node.message.bottom and node.type not in _CONSTANTS

    def _new(self, path: Path) -> tuple[LayerParameter, Path]:
        at: Path = ("layer", len(self._message.layer))
        self._aliases[at] = path
        return self._message.layer.add(), at

    def _add_layer(self, node: Node) -> None:
        layer, _ = self._new(node.path)
        layer.CopyFrom(node.message)
        for field in _TRAINING:
            layer.ClearField(field)  # type: ignore[arg-type]
        for param in layer.param:
            param.ClearField("lr_mult")
            param.ClearField("decay_mult")
        while layer.param and not layer.param[-1].name:
            del layer.param[-1]
        if node.type not in _CONSTANTS:
            _clear_fillers(layer)

    def _add_input(self, node: Node, tops: list[int]) -> None:
        layer, at = self._new(node.path)
        layer.name, layer.type = node.name, "Input"
        for number, top in enumerate(tops):
            blob = self._net.blobs[node.tops[top]]
            layer.top.append(blob.name)
            self._aliases[*at, "top", number] = (*node.path, "top", top)
            self._used.add(blob.name)
            shape = self._shape(node, blob.name, blob.shape)
            layer.input_param.shape.add().dim.extend(shape)
            shared = len(node.message.input_param.shape) == 1
            self._aliases[*at, "input_param", "shape", number] = (
                *node.path,
                "input_param",
                "shape",
                0 if shared else top,
            )
        words = _transform_words(node.message)
        if words:
            self._notes[at] = [f"# the data were: {words}"]

    def _shape(self, node: Node, name: str, shape: Shape | None) -> Shape:
        given = self._input_shapes.get(name)
        if given is not None:
            return given
        if shape is not None:
            return shape if node.type == "Input" or not shape else (1, *shape[1:])
        size = node.message.transform_param.crop_size
        sides = f"{size},{size}" if size else "224,224"
        self._report.add(
            InputShapeUnknown(
                f"the shape of input `{name}` is not known",
                self._net.span((*node.path, "top", list(node.message.top).index(name))),
                help=f"say it: --input-shape {name}=1,3,{sides}",
            )
        )
        return ()

    def _add_prediction(self, prediction: _Prediction) -> None:
        loss = prediction.loss
        layer, at = self._new(loss.path)
        blob = self._net.blobs[prediction.blob].name
        names = {n.name for n in self._net.nodes} | {b.name for b in self._net.blobs}
        names |= {one.name for one in self._message.layer}
        wanted = "prob" if len(self._heads.predictions) == 1 else f"{blob}_prob"
        while wanted in names:
            wanted += "_"
        layer.name, layer.type = wanted, prediction.type
        layer.bottom.append(blob)
        layer.top.append(wanted)
        if loss.message.HasField("softmax_param"):
            layer.softmax_param.CopyFrom(loss.message.softmax_param)
        elif prediction.type == "Softmax" and loss.message.infogain_loss_param.HasField("axis"):
            layer.softmax_param.axis = loss.message.infogain_loss_param.axis
        self._notes.pop(at, None)

    def _unknown_inputs(self) -> None:
        for name in self._input_shapes:
            if name in self._used:
                continue
            self._report.add(
                NoSuchInput(
                    f"no input of the deploy net is called `{name}`",
                    help=f"its inputs are: {', '.join(sorted(self._used)) or 'none'}",
                )
            )


def _is_nothing(node: Node) -> bool:
    """Whether a layer leaves its blob as it is once the net is trained."""
    return node.type == "Dropout" and node.message.bottom[:1] == node.message.top[:1]


def _clear_fillers(layer: LayerParameter) -> None:
    for field, value in layer.ListFields():
        if field.message_type is None or hasattr(value, "add"):
            continue
        for name in _FILLERS:
            if name in field.message_type.fields_by_name:
                value.ClearField(name)
        if not value.ListFields():
            layer.ClearField(field.name)  # type: ignore[arg-type]


def _transform_words(layer: LayerParameter) -> str:
    """What the data layer did to its values, which whoever feeds the input must do now."""
    param: Any = layer.transform_param
    words = [f"crop_size {param.crop_size}"] if param.crop_size else []
    words += [f"mean_file {param.mean_file}"] if param.mean_file else []
    if param.mean_value:
        words.append(f"mean_value {', '.join(f'{v:g}' for v in param.mean_value)} subtracted")
    words += [f"times {param.scale:g}"] if param.HasField("scale") and param.scale != 1 else []
    return "; ".join(words)
