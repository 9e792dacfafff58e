"""The V0 syntax of 2013: a `padding` layer becomes the pad of the layer it feeds."""

from __future__ import annotations

from netdef.diag import Report
from netdef.schema.netdef_pb2 import NetParameter, V1LayerParameter
from netdef.schema.problems import OldLayer
from netdef.text import Path, SpanMap


def fold_padding(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Take out `padding` layers; the conv or pool layer behind reads what they read."""
    if not any(_is_padding(layer) for layer in net.layers):
        return spans
    makers: dict[str, int] = {}
    kept: list[V1LayerParameter] = []
    aliases: dict[Path, Path] = {}
    for index, layer in enumerate(net.layers):
        place: Path = ("layers", len(kept))
        for bottom, blob in enumerate(layer.bottom):
            maker = makers.get(blob)
            if maker is None or not _is_padding(net.layers[maker]):
                continue
            padding = net.layers[maker]
            if not _fits(padding, layer):
                report.add(
                    OldLayer(
                        f"padding layer `{padding.layer.name}` must stand between one blob and "
                        f"a single conv or pool layer, and feeds `{layer.layer.name}`",
                        spans.find(("layers", maker, "layer", "type")),
                        help="write `pad` in the conv or pool layer",
                    )
                )
                continue
            aliases[*place, "layer", "pad"] = ("layers", maker, "layer", "pad")
            aliases[*place, "bottom", bottom] = ("layers", maker, "bottom", 0)
        if not _is_padding(layer):
            aliases[place] = ("layers", index)
            kept.append(_padded(layer, makers, net))
        makers.update(dict.fromkeys(layer.top, index))
    net.ClearField("layers")
    net.layers.extend(kept)
    return spans.with_aliases(aliases)


def _is_padding(layer: V1LayerParameter) -> bool:
    return layer.layer.type == "padding"


def _fits(padding: V1LayerParameter, layer: V1LayerParameter) -> bool:
    single = len(padding.bottom) == len(padding.top) == len(layer.bottom) == 1
    return single and layer.layer.type in ("conv", "pool")


def _padded(layer: V1LayerParameter, makers: dict[str, int], net: NetParameter) -> V1LayerParameter:
    padded = V1LayerParameter()
    padded.CopyFrom(layer)
    for bottom, blob in enumerate(layer.bottom):
        maker = makers.get(blob)
        if maker is None or not _fits(net.layers[maker], layer):
            continue
        padding = net.layers[maker]
        if _is_padding(padding):
            padded.layer.pad = padding.layer.pad
            padded.bottom[bottom] = padding.bottom[0]
    return padded
