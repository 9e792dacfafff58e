"""A BatchNorm that takes the batch's own statistics where the net is tested."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Fix, Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, place
from netdef.layers.base import Phase


class BatchStatisticsInTest(Problem):
    """A BatchNorm uses the batch's own statistics in the TEST phase.

    With `use_global_stats: false` written out, the net also normalises by the batch when it is
    tested: what it says of an image depends on the images beside it, and for a batch of one, all
    1×1 maps become 0. Left out, Caffe chooses by the phase.

    Example:
        batch_norm_param { use_global_stats: false }
    Write:
        batch_norm_param { }
    """

    code = "N703"
    default_severity = Severity.WARNING


def batch_statistics_in_test(net: Net) -> Iterator[Problem]:
    """Find BatchNorm layers with use_global_stats false in a TEST net."""
    if net.phase is not Phase.TEST:
        return
    for node in net.nodes:
        param = node.message.batch_norm_param
        if node.type != "BatchNorm" or not param.HasField("use_global_stats"):
            continue
        if param.use_global_stats:
            continue
        span = place(net, node, "batch_norm_param.use_global_stats")
        field = net.document.spans.field((*node.path, "batch_norm_param", "use_global_stats"))
        yield BatchStatisticsInTest(
            f"`{node.name}` normalises by the batch in the TEST phase too",
            span,
            label="stored statistics are not used",
            labels=in_layer(net, node, span),
            help="leave `use_global_stats` out: it then follows the phase",
            fixes=(Fix(field, "", safe=False),) if field else (),
        )
