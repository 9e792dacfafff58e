"""Layers in place that are done block by block by the one before them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.run.net import Net
from netdef.schema.document import net_from_text
from tests.plan.test_meaning import assert_same, without

_INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { %s } } }\n'
_DIMS = "dim: 5 dim: 6 dim: 9 dim: 8"
_AFTER = """
layer { name: "bn" type: "BatchNorm" bottom: "y" top: "y" }
layer { name: "sc" type: "Scale" bottom: "y" top: "y" scale_param { bias_term: true } }
layer { name: "r" type: "ReLU" bottom: "y" top: "y" }
"""
_CONV = """layer {{ name: "conv" type: "Convolution" bottom: "x" top: "y"
  convolution_param {{ num_output: {n} kernel_size: {k} pad: {p} stride: {s} group: {g}
    weight_filler {{ type: "xavier" }} bias_filler {{ type: "uniform" }} }} }}
"""


def _conv(n: int, k: int, p: int = 0, s: int = 1, g: int = 1) -> str:
    return _CONV.format(n=n, k=k, p=p, s=s, g=g)


# one for each way to convolve: what makes the blocks differs
HOSTS = {
    "gemm": _conv(7, 1),
    "gemm in groups": _conv(4, 1, g=2),
    "im2col": _conv(7, 3, s=2),
    "im2col in groups": _conv(4, 3, p=1, s=2, g=2),
    "winograd": _conv(64, 3, p=1),
    "depthwise": _conv(6, 3, p=1, g=6),
    "depthwise, two each": _conv(12, 3, p=1, g=6),
    "space to depth": _conv(16, 7, s=4),
}


def build(text: str, phase: Phase = Phase.TEST, **choices: Any) -> Net:
    report = Report()
    document = net_from_text(text, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    net = Net(document, State(phase), seed=3, **choices)
    random = np.random.default_rng(1)
    for param in net.learned:
        if param.layer in ("bn", "sc"):
            param.data[...] = random.uniform(0.5, 1.5, param.shape)
    return net


def forward(net: Net) -> dict[str, Any]:
    x = np.random.default_rng(2).standard_normal(net.blobs["x"].shape)
    return {name: array.copy() for name, array in net.forward(x=x).items()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("host", HOSTS)
def test_convolution_normalised_scaled_rectified(
    host: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _INPUT % _DIMS + HOSTS[host] + _AFTER
    net = build(text, threads=threads)
    assert sum(step.fused_into >= 0 for step in net.program.steps) == 3
    fused = forward(net)
    without(monkeypatch, fuse=False)
    apart = build(text, threads=threads)
    assert not any(step.fused_into >= 0 for step in apart.program.steps)
    assert_same(fused, forward(apart), 2e-6)


def test_changed_params_count_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _INPUT % _DIMS + HOSTS["gemm"] + _AFTER
    nets = [build(text)]
    without(monkeypatch, fuse=False)
    nets.append(build(text))
    for net in nets:
        forward(net)
        net.params["sc"][0].data[...] = -3
        net.params["bn"][0].data[...] = 2
    assert_same(forward(nets[0]), forward(nets[1]), 2e-6)


def test_a_part_of_the_net_runs_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending inside a group, or starting there, each layer does its own part only."""
    text = _INPUT % _DIMS + HOSTS["gemm"] + _AFTER
    x = np.random.default_rng(2).standard_normal((5, 6, 9, 8))
    net = build(text)
    whole = net.forward(x=x)["y"].copy()
    net.forward(x=x, end="conv")
    inner = net.blobs["y"].data.copy()
    assert (inner < 0).any()
    net.forward(start="bn")
    np.testing.assert_allclose(net.blobs["y"].data, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(net.forward(x=x)["y"], whole)


@pytest.mark.parametrize("phase", [Phase.TRAIN, Phase.TEST])
def test_sum_rectified(phase: Phase, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "force_backward: true\n"
        + _INPUT % _DIMS
        + HOSTS["im2col"].replace('"y"', '"a"')
        + HOSTS["im2col"].replace('"y"', '"b"').replace('"conv"', '"conv2"')
        + 'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "y" }\n'
        + 'layer { name: "r" type: "ReLU" bottom: "y" top: "y" }\n'
    )
    net = build(text, phase)
    assert sum(step.fused_into >= 0 for step in net.program.steps) == 1
    fused = forward(net)
    without(monkeypatch, fuse=False)
    assert_same(fused, forward(build(text, phase)))


def test_what_a_gradient_needs_is_not_fused() -> None:
    """In TRAIN phase BatchNorm takes the batch's statistics, and Scale's bottom is kept."""
    net = build(_INPUT % _DIMS + HOSTS["gemm"] + _AFTER, Phase.TRAIN)
    text = "force_backward: true\n" + _INPUT % _DIMS + HOSTS["gemm"] + _AFTER
    kept = build(text, Phase.TRAIN)
    layers = [net.graph.nodes[s.node].name for s in kept.program.steps if s.fused_into >= 0]
    assert layers == ["r"]
