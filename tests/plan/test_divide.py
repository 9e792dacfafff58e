"""A single image is cut by channels: the same numbers, and no thread ahead of what it needs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.run.net import Net
from netdef.schema.document import net_from_text
from tests.plan.nets import NETS
from tests.plan.test_meaning import cut_by_channels, without
from tests.run.forked import needs_processes, processes_everywhere

# What a thread multiplies is another block of the matrix, summed in another order.
TOLERANCE = 1e-5

CHANNELS = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 6 dim: 9 dim: 8 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 12 kernel_size: 3 pad: 1 weight_filler { type: "xavier" }
    bias_filler { type: "uniform" } } }
layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
layer { name: "scale1" type: "Scale" bottom: "conv1" top: "conv1" scale_param {
    filler { type: "uniform" min: 0.5 max: 2 } bias_term: true bias_filler { type: "uniform" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "dw" type: "Convolution" bottom: "conv1" top: "dw"
  convolution_param { num_output: 12 group: 12 kernel_size: 3 pad: 1
    weight_filler { type: "xavier" } } }
layer { name: "prelu" type: "PReLU" bottom: "dw" top: "dw"
  prelu_param { filler { type: "uniform" } } }
layer { name: "grouped" type: "Convolution" bottom: "dw" top: "grouped"
  convolution_param { num_output: 24 group: 6 kernel_size: 3 stride: 2
    weight_filler { type: "xavier" } } }
layer { name: "bias" type: "Bias" bottom: "grouped" top: "grouped"
  bias_param { filler { type: "uniform" } } }
layer { name: "norm" type: "LRN" bottom: "grouped" top: "norm" lrn_param { local_size: 5 } }
layer { name: "pool" type: "Pooling" bottom: "norm" top: "pool"
  pooling_param { kernel_size: 2 stride: 1 } }
layer { name: "one" type: "Convolution" bottom: "pool" top: "one"
  convolution_param { num_output: 24 kernel_size: 1 weight_filler { type: "xavier" } } }
layer { name: "tanh" type: "TanH" bottom: "one" top: "one" }
layer { name: "sum" type: "Eltwise" bottom: "pool" bottom: "one" top: "sum" }
layer { name: "joined" type: "Concat" bottom: "sum" bottom: "pool" top: "joined" }
layer { name: "ip1" type: "InnerProduct" bottom: "joined" top: "ip1"
  inner_product_param { num_output: 20 weight_filler { type: "xavier" } } }
layer { name: "relu2" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "drop" type: "Dropout" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 21 transpose: true weight_filler { type: "xavier" } } }
layer { name: "ip3" type: "InnerProduct" bottom: "ip2" top: "ip3"
  inner_product_param { num_output: 9 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip3" top: "prob" }
"""
CUT = {"conv1", "dw", "grouped", "pool", "one", "sum", "ip1", "ip3"}

ONE = {
    name: text.replace("dim: 7", "dim: 1")
    for name, text in NETS.items()
    if name != "across_the_batch"  # it cuts the batch, of which there is none
} | {"all": CHANNELS}


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_by_channels(monkeypatch)


def build(text: str, **choices: Any) -> Net:
    report = Report()
    document = net_from_text(text, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    net = Net(document, State(Phase.TEST), seed=3, backward=False, **choices)
    for params in net.params.values():
        if params[0].role == "running mean":
            count = params[0].count
            params[0].data[...] = np.linspace(-0.2, 0.3, count)
            params[1].data[...] = np.linspace(0.5, 2, count)
            params[2].data[...] = 1
    return net


def run(net: Net) -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    given = {
        name: random.standard_normal(net.blobs[name].shape) if name != "label" else [1]
        for name in net.inputs
    }
    return {name: array.copy() for name, array in net.forward(**given).items()}


def assert_same(found: dict[str, Any], expected: dict[str, Any], tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("keep", ["all", "outputs"])
@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("name", ONE)
def test_computes_the_same(name: str, threads: int, keep: str) -> None:
    one = run(build(ONE[name], threads=1))
    net = build(ONE[name], threads=threads, keep=keep)
    found = run(net)
    assert_same(found, one, TOLERANCE)
    for _ in range(5):  # a thread that runs ahead does not do so every time
        assert_same(run(net), found, 0)


@needs_processes
def test_processes_give_the_same_bits() -> None:
    for threads in (2, 3):
        expected = run(build(CHANNELS, threads=threads))
        with processes_everywhere() as teams:
            assert_same(run(build(CHANNELS, threads=threads)), expected, 0)
            assert teams


def test_what_is_cut() -> None:
    program = build(CHANNELS, threads=2).program
    names = [program.net.nodes[step.node].name for step in program.steps if step.lanes]
    assert set(names) >= CUT
    assert not {"data", "norm", "ip2", "prob"} & set(names)
    assert program.lanes == 2
    assert program.shards == 1
    for step in program.steps:
        for before, after in pairwise(step.lanes):
            assert before.top.stop == after.top.start


def test_part_of_the_net() -> None:
    nets = [build(CHANNELS, threads=threads) for threads in (1, 2)]
    for net in nets:
        run(net)
        net.blobs["conv1"].data[...] = np.linspace(-1, 1, 12)[None, :, None, None]
        net.forward(start="dw", end="sum")
    np.testing.assert_allclose(
        nets[1].blobs["sum"].data, nets[0].blobs["sum"].data, rtol=TOLERANCE, atol=TOLERANCE
    )


def test_a_larger_batch_is_cut_by_images() -> None:
    net = build(CHANNELS, threads=2)
    net.forward(data=np.ones((4, 6, 9, 8)))
    assert net.program.shards == 2
    assert not any(step.lanes for step in net.program.steps)
    net.forward(data=np.ones((1, 6, 9, 8)))
    assert net.program.shards == 1
    assert any(step.lanes for step in net.program.steps)


def test_small_nets_are_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    without(monkeypatch, divide=True)
    assert build(CHANNELS, threads=2).program.lanes == 1


def test_in_threads_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would meet too often; BLAS has as many of its own."""
    without(monkeypatch, divide=False)
    assert build(CHANNELS, threads=2).program.lanes == 1


def test_training_is_not_cut() -> None:
    assert not any(step.lanes for step in _trained().program.steps)


def _trained() -> Net:
    text = CHANNELS
    document = net_from_text("force_backward: true\n" + text, "net.prototxt", Report())
    assert document is not None
    return Net(document, State(Phase.TRAIN), seed=3, threads=2)


def test_a_view_of_what_is_written_in_place_keeps_its_memory() -> None:
    """The second InnerProduct once was given its own bottom's memory to write to."""
    program = build(CHANNELS, threads=1, keep="outputs").program
    for step in program.steps:
        if program.net.nodes[step.node].type == "InnerProduct":
            (run_,) = step.forward_runs
            assert not np.may_share_memory(run_.bottom(0), run_.top(0))
