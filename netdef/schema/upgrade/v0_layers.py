"""The V0 syntax of 2013: `layers { layer { type: "conv" kernelsize: 5 } }` becomes V1."""

from __future__ import annotations

from typing import Any

from netdef.diag import Report, nearest, respelt, surely
from netdef.schema.netdef_pb2 import NetParameter, V0LayerParameter, V1LayerParameter
from netdef.schema.problems import OldFieldIgnored, OldLayer
from netdef.text import Path, SpanMap

TYPES = {
    "accuracy": V1LayerParameter.ACCURACY,
    "bnll": V1LayerParameter.BNLL,
    "concat": V1LayerParameter.CONCAT,
    "conv": V1LayerParameter.CONVOLUTION,
    "data": V1LayerParameter.DATA,
    "dropout": V1LayerParameter.DROPOUT,
    "euclidean_loss": V1LayerParameter.EUCLIDEAN_LOSS,
    "flatten": V1LayerParameter.FLATTEN,
    "hdf5_data": V1LayerParameter.HDF5_DATA,
    "hdf5_output": V1LayerParameter.HDF5_OUTPUT,
    "im2col": V1LayerParameter.IM2COL,
    "images": V1LayerParameter.IMAGE_DATA,
    "infogain_loss": V1LayerParameter.INFOGAIN_LOSS,
    "innerproduct": V1LayerParameter.INNER_PRODUCT,
    "lrn": V1LayerParameter.LRN,
    "multinomial_logistic_loss": V1LayerParameter.MULTINOMIAL_LOGISTIC_LOSS,
    "pool": V1LayerParameter.POOLING,
    "relu": V1LayerParameter.RELU,
    "sigmoid": V1LayerParameter.SIGMOID,
    "softmax": V1LayerParameter.SOFTMAX,
    "softmax_loss": V1LayerParameter.SOFTMAX_LOSS,
    "split": V1LayerParameter.SPLIT,
    "tanh": V1LayerParameter.TANH,
    "window_data": V1LayerParameter.WINDOW_DATA,
}

# The message in which a V1 layer of each V0 type has its settings.
_PARAMS = {
    "concat": "concat_param",
    "conv": "convolution_param",
    "data": "data_param",
    "dropout": "dropout_param",
    "hdf5_data": "hdf5_data_param",
    "hdf5_output": "hdf5_output_param",
    "images": "image_data_param",
    "infogain_loss": "infogain_loss_param",
    "innerproduct": "inner_product_param",
    "lrn": "lrn_param",
    "pool": "pooling_param",
    "window_data": "window_data_param",
}

# V0 field: its name in that message, and the types for which it says anything.
_FILTERED = ("conv", "innerproduct")
_SOURCES = ("data", "hdf5_data", "images", "window_data")
_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "num_output": ("num_output", _FILTERED),
    "biasterm": ("bias_term", _FILTERED),
    "weight_filler": ("weight_filler", _FILTERED),
    "bias_filler": ("bias_filler", _FILTERED),
    "pad": ("pad", ("conv", "pool")),
    "kernelsize": ("kernel_size", ("conv", "pool")),
    "group": ("group", ("conv",)),
    "stride": ("stride", ("conv", "pool")),
    "pool": ("pool", ("pool",)),
    "dropout_ratio": ("dropout_ratio", ("dropout",)),
    "local_size": ("local_size", ("lrn",)),
    "alpha": ("alpha", ("lrn",)),
    "beta": ("beta", ("lrn",)),
    "k": ("k", ("lrn",)),
    "source": ("source", (*_SOURCES, "infogain_loss")),
    "batchsize": ("batch_size", _SOURCES),
    "rand_skip": ("rand_skip", ("data", "images")),
    "shuffle_images": ("shuffle", ("images",)),
    "new_height": ("new_height", ("images",)),
    "new_width": ("new_width", ("images",)),
    "concat_dim": ("concat_dim", ("concat",)),
    "det_fg_threshold": ("fg_threshold", ("window_data",)),
    "det_bg_threshold": ("bg_threshold", ("window_data",)),
    "det_fg_fraction": ("fg_fraction", ("window_data",)),
    "det_context_pad": ("context_pad", ("window_data",)),
    "det_crop_mode": ("crop_mode", ("window_data",)),
}
# V0 field: its name in transform_param, for whatever type.
_TRANSFORMS = {
    "scale": "scale",
    "meanfile": "mean_file",
    "cropsize": "crop_size",
    "mirror": "mirror",
}
_KEPT = ("name", "blobs", "blobs_lr", "weight_decay")


def v0_to_v1(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Spread the inner `layer` of each V0 layer over the fields of a V1 layer."""
    aliases: dict[Path, Path] = {}
    for index, layer in enumerate(net.layers):
        if layer.HasField("layer"):
            old = V0LayerParameter()
            old.CopyFrom(layer.layer)
            layer.ClearField("layer")
            _convert(old, layer, index, aliases, spans, report)
    return spans.with_aliases(aliases) if aliases else spans


def _convert(
    old: V0LayerParameter,
    new: V1LayerParameter,
    index: int,
    aliases: dict[Path, Path],
    spans: SpanMap,
    report: Report,
) -> None:
    place: Path = ("layers", index)
    inner: Path = (*place, "layer")
    if old.type in TYPES:
        new.type = TYPES[old.type]
        aliases[*place, "type"] = (*inner, "type")
    elif old.HasField("type"):
        sure = surely(old.type, TYPES, ends_kept=True)
        near = [sure] if sure else nearest(old.type, TYPES, 1)
        span = spans.find((*inner, "type"))
        report.add(
            OldLayer(
                f"there is no V0 layer type `{old.type}`",
                span,
                help=f"the nearest known type is `{near[0]}`" if near else "",
                fixes=respelt(span, sure),
            )
        )
        return
    for field, value in old.ListFields():
        target = _target(field.name, old.type)
        if field.name == "type":
            continue
        if target is None:
            report.add(
                OldFieldIgnored(
                    f"`{field.name}` says nothing about a V0 layer of type `{old.type}`",
                    spans.field((*inner, field.name)),
                    help="remove it",
                )
            )
            continue
        message: Any = new
        for name in target[:-1]:
            message = getattr(message, name)
            aliases.setdefault((*place, name), inner)
        aliases[*place, *target] = (*inner, field.name)
        if _put(message, target[-1], value) and target[0] not in _KEPT:
            aliases[*place, *target, 0] = (*inner, field.name)


def _target(field: str, layer_type: str) -> tuple[str, ...] | None:
    """Where a V0 field goes in a V1 layer of this type; None for nowhere."""
    if field in _KEPT:
        return (field,)
    if field in _TRANSFORMS:
        return ("transform_param", _TRANSFORMS[field])
    if field == "hdf5_output_param" and layer_type == "hdf5_output":
        return (field,)
    name, types = _FIELDS.get(field, ("", ()))
    return (_PARAMS[layer_type], name) if layer_type in types else None


def _put(message: Any, name: str, value: Any) -> bool:
    """Set a field; whether it is a repeated one."""
    field = getattr(message, name)
    if hasattr(field, "extend"):
        # conv's kernel_size, pad and stride have become lists, one entry for each axis
        field.extend(value if hasattr(value, "extend") else [value])
        return True
    if hasattr(field, "CopyFrom"):
        field.CopyFrom(value)
    else:
        setattr(message, name, value)
    return False
