"""Where sizes come from, told step by step."""

from __future__ import annotations

from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.graph.tell_sizes import tell_sizes
from netdef.schema.document import net_from_text

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 28 dim: 20 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 5 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "side" type: "Convolution" bottom: "conv" top: "side"
  convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "cat" type: "Concat" bottom: "pool" bottom: "pool" bottom: "pool" top: "cat" }
layer { name: "ip" type: "InnerProduct" bottom: "cat" top: "ip"
  inner_product_param { num_output: 7 } }
"""


def told(*names):
    report = Report()
    net = compile_net(net_from_text(NET, "net", report), State(), report)
    last = net.last()
    return [note.splitlines() for note in tell_sizes(net, tuple(last[name] for name in names))]


def test_steps_back_to_the_source():
    ((head, *steps),) = told("pool")
    assert head == "where the size of `pool` comes from:"
    assert [step.split(" (")[0] for step in steps] == [
        "  pool: 2×4×12×8 from conv",
        "  conv: 2×4×24×16 from data",
        "  data: 2×3×28×20",
    ]
    assert "(24×16→12×8: Pooling max 2×2/2)" in steps[0]
    assert steps[-1].endswith("(Input)")


def test_layers_that_keep_the_shape_are_passed_over():
    ((_, *steps),) = told("conv")
    assert len(steps) == 2
    assert not any("ReLU" in step for step in steps)


def test_several_bottoms():
    ((_, *steps),) = told("ip")
    assert steps[0].startswith("  ip: 2×7 from cat (InnerProduct")
    assert steps[1].startswith("  cat: 2×12×12×8 from pool and 2 more (Concat")


def test_two_are_told_back_to_where_they_part():
    first, second = told("pool", "side")
    assert [step.split(":")[0].strip() for step in first[1:]] == ["pool", "conv"]
    assert [step.split(":")[0].strip() for step in second[1:]] == ["side", "conv"]


def test_a_source_needs_no_story():
    assert told("data") == []
