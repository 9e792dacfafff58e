"""V1 data layers: scale, mean_file, crop_size and mirror move to transform_param."""

from __future__ import annotations

from netdef.diag import Report
from netdef.schema.netdef_pb2 import NetParameter, V1LayerParameter
from netdef.text import Path, SpanMap

MOVED = ("scale", "mean_file", "crop_size", "mirror")
_PARAMS = {
    V1LayerParameter.DATA: "data_param",
    V1LayerParameter.IMAGE_DATA: "image_data_param",
    V1LayerParameter.WINDOW_DATA: "window_data_param",
}


def move_transforms(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Move the four fields out of a V1 data layer's own message.

    Caffe does so for the V1 syntax only; see `moved_fields` for the current one.
    """
    aliases: dict[Path, Path] = {}
    for index, layer in enumerate(net.layers):
        param = _PARAMS.get(layer.type, "")
        source = getattr(layer, param, None)  # an absent message has no field that is set
        if source is None:
            continue
        for field in MOVED:
            if source.HasField(field):
                setattr(layer.transform_param, field, getattr(source, field))
                source.ClearField(field)
                to: Path = ("layers", index, "transform_param", field)
                aliases[to] = ("layers", index, param, field)
                aliases.setdefault(to[:-1], ("layers", index, param))
    return spans.with_aliases(aliases) if aliases else spans
