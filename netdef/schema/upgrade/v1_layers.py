"""The V1 syntax of 2014: `layers { type: CONVOLUTION blobs_lr: 1 }` becomes `layer`."""

from __future__ import annotations

from netdef.diag import Label, Report
from netdef.schema.netdef_pb2 import LayerParameter, NetParameter, V1LayerParameter
from netdef.schema.problems import MixedSyntax
from netdef.text import Path, SpanMap

TYPES = {
    V1LayerParameter.NONE: "",
    V1LayerParameter.ABSVAL: "AbsVal",
    V1LayerParameter.ACCURACY: "Accuracy",
    V1LayerParameter.ARGMAX: "ArgMax",
    V1LayerParameter.BNLL: "BNLL",
    V1LayerParameter.CONCAT: "Concat",
    V1LayerParameter.CONTRASTIVE_LOSS: "ContrastiveLoss",
    V1LayerParameter.CONVOLUTION: "Convolution",
    V1LayerParameter.DATA: "Data",
    V1LayerParameter.DECONVOLUTION: "Deconvolution",
    V1LayerParameter.DROPOUT: "Dropout",
    V1LayerParameter.DUMMY_DATA: "DummyData",
    V1LayerParameter.EUCLIDEAN_LOSS: "EuclideanLoss",
    V1LayerParameter.ELTWISE: "Eltwise",
    V1LayerParameter.EXP: "Exp",
    V1LayerParameter.FLATTEN: "Flatten",
    V1LayerParameter.HDF5_DATA: "HDF5Data",
    V1LayerParameter.HDF5_OUTPUT: "HDF5Output",
    V1LayerParameter.HINGE_LOSS: "HingeLoss",
    V1LayerParameter.IM2COL: "Im2col",
    V1LayerParameter.IMAGE_DATA: "ImageData",
    V1LayerParameter.INFOGAIN_LOSS: "InfogainLoss",
    V1LayerParameter.INNER_PRODUCT: "InnerProduct",
    V1LayerParameter.LRN: "LRN",
    V1LayerParameter.MEMORY_DATA: "MemoryData",
    V1LayerParameter.MULTINOMIAL_LOGISTIC_LOSS: "MultinomialLogisticLoss",
    V1LayerParameter.MVN: "MVN",
    V1LayerParameter.POOLING: "Pooling",
    V1LayerParameter.POWER: "Power",
    V1LayerParameter.RELU: "ReLU",
    V1LayerParameter.SIGMOID: "Sigmoid",
    V1LayerParameter.SIGMOID_CROSS_ENTROPY_LOSS: "SigmoidCrossEntropyLoss",
    V1LayerParameter.SILENCE: "Silence",
    V1LayerParameter.SLICE: "Slice",
    V1LayerParameter.SOFTMAX: "Softmax",
    V1LayerParameter.SOFTMAX_LOSS: "SoftmaxWithLoss",
    V1LayerParameter.SPLIT: "Split",
    V1LayerParameter.TANH: "TanH",
    V1LayerParameter.THRESHOLD: "Threshold",
    V1LayerParameter.WINDOW_DATA: "WindowData",
}

# In V1 four lists, one entry for each learned blob; now one message for each blob.
_PARAM_FIELDS = {
    "param": "name",
    "blob_share_mode": "share_mode",
    "blobs_lr": "lr_mult",
    "weight_decay": "decay_mult",
}
_OTHERS = {"type", "layer", *_PARAM_FIELDS}


def v1_to_layer(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Turn every `layers` into a `layer`; both in one net are a problem, as in Caffe."""
    if not net.layers:
        return spans
    if net.layer:
        now = spans.name(("layer", 0))
        report.add(
            MixedSyntax(
                "the net has both `layer` and the old `layers`",
                spans.name(("layers", 0)),
                label="old syntax",
                labels=(Label(now, "current syntax"),) if now else (),
                help='write all of them as `layer { type: "..." }`',
            )
        )
    aliases: dict[Path, Path] = {}
    for index, old in enumerate(net.layers):
        path: Path = ("layer", len(net.layer))
        was: Path = ("layers", index)
        aliases[path] = was
        _convert(old, net.layer.add(), path, was, aliases)
    net.ClearField("layers")
    return spans.with_aliases(aliases)


def _convert(
    old: V1LayerParameter,
    new: LayerParameter,
    path: Path,
    was: Path,
    aliases: dict[Path, Path],
) -> None:
    for field, value in old.ListFields():
        if field.name in _OTHERS:
            continue
        # All other fields have kept their name and type.
        if hasattr(value, "extend"):
            getattr(new, field.name).extend(value)
        elif field.message_type is not None:
            getattr(new, field.name).CopyFrom(value)
        else:
            setattr(new, field.name, value)
    if old.HasField("type"):
        new.type = TYPES[old.type]
    for list_name, field_name in _PARAM_FIELDS.items():
        for index, value in enumerate(getattr(old, list_name)):
            while len(new.param) <= index:
                new.param.add()
            setattr(new.param[index], field_name, value)
            param = (*path, "param", index)
            aliases.setdefault(param, (*was, list_name, index))
            aliases[*param, field_name] = (*was, list_name, index)
