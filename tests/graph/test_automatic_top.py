"""A loss without a top gets one of its own, as in Caffe."""

from __future__ import annotations

from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text

NET = """
layer { name: "in" type: "DummyData" top: "x" top: "y"
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "a" type: "SoftmaxWithLoss" bottom: "x" bottom: "y" }
layer { name: "b" type: "SoftmaxWithLoss" bottom: "x" bottom: "y" loss_weight: 2 }
layer { name: "s" type: "Silence" bottom: "x" }
"""


def test_each_loss_has_its_own():
    report = Report()
    document = net_from_text(NET, "net", report)
    net = compile_net(document, State(Phase.TRAIN), report)
    assert report.ok, str(report)
    losses = [blob for blob in net.blobs if blob.loss_weight]
    assert [blob.loss_weight for blob in losses] == [1, 2]
    assert len({blob.name for blob in losses}) == 2
    assert all(blob.name.startswith("(automatic)") for blob in losses)
    assert net.outputs == ()  # nobody can name them, and Caffe lists them nowhere
    assert not any(layer.top for layer in document.message.layer[1:])  # the file is as it was
