"""BatchNorm's three params, which hold statistics: never learned."""

from __future__ import annotations

from netdef.diag import Report
from netdef.schema.netdef_pb2 import NetParameter
from netdef.text import SpanMap

_STATISTICS = 3  # mean, variance and what they are to be divided by


def freeze_statistics(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Set lr_mult and decay_mult to 0 where all three params of a BatchNorm are listed.

    Nets once had to write this themselves; those that wrote something else still load in Caffe,
    which does the same.
    """
    for layer in net.layer:
        if layer.type == "BatchNorm" and len(layer.param) == _STATISTICS:
            for param in layer.param:
                param.lr_mult = 0
                param.decay_mult = 0
    return spans
