"""A warning for transform fields left where only the V1 syntax reads them."""

from __future__ import annotations

from netdef.diag import Report
from netdef.schema.netdef_pb2 import NetParameter
from netdef.schema.problems import MovedField
from netdef.schema.upgrade.transform import MOVED
from netdef.text import SpanMap

_PARAMS = ("data_param", "image_data_param", "window_data_param")


def warn_of_moved_fields(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Warn of `data_param { scale }` in a `layer`, which Caffe reads without effect."""
    for index, layer in enumerate(net.layer):
        for param in _PARAMS:
            message = getattr(layer, param)
            for field in MOVED:
                if message.HasField(field):
                    report.add(
                        MovedField(
                            f"`{param}.{field}` has no effect in a `layer`",
                            spans.field(("layer", index, param, field)),
                            help=f"write it in `transform_param`: transform_param {{ {field}: "
                            f"{_written(spans, index, param, field)} }}",
                        )
                    )
    return spans


def _written(spans: SpanMap, index: int, param: str, field: str) -> str:
    span = spans.value(("layer", index, param, field))
    return span.text if span else "..."
