"""Nets whose tops turn out to have other shapes while they run."""

from __future__ import annotations

import numpy as np
import pytest

import netdef

# What stands before the filter runs once a pass: BatchNorm's statistics move, masks are kept.
NET = """
force_backward: true
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 6 dim: 3 dim: 5 dim: 4 } } }
layer { name: "s" type: "Input" top: "s" input_param { shape { dim: 6 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
layer { name: "relu" type: "ReLU" bottom: "bn" top: "bn" }
layer { name: "pool" type: "Pooling" bottom: "bn" top: "pool" pooling_param { kernel_size: 2 } }
layer { name: "drop" type: "Dropout" bottom: "pool" top: "drop" }
layer { name: "filter" type: "Filter" bottom: "drop" bottom: "s" top: "picked" }
layer { name: "ip" type: "InnerProduct" bottom: "picked" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "tanh" type: "TanH" bottom: "ip" top: "tanh" }
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)
    return tmp_path / "net.prototxt"


def load(path, **settings):
    """With statistics that keep values where slopes are not 0."""
    net = netdef.load(path, seed=1, **settings)
    for param, value in zip(net.params["bn"], (0.1, 2, 1), strict=True):
        param.data[...] = value
    return net


def image(n=6):
    return np.random.default_rng(0).standard_normal((n, 3, 5, 4)).astype(np.float32)


def run(net, selector):
    """One pass forward, compared with what the picked rows alone would give."""
    selector = np.asarray(selector)
    out = net.forward(x=image(len(selector)), s=selector)["tanh"]
    rows = np.flatnonzero(selector)
    picked = net.blobs["drop"].data[rows]
    weight, bias = (p.data for p in net.params["ip"])
    expected = np.tanh(picked.reshape(len(rows), weight.shape[1]) @ weight.T + bias)
    assert out.shape == (len(rows), 3)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    return out


@pytest.mark.parametrize("threads", [1, 2])
def test_each_pass_may_pick_another_number(path, threads):
    net = load(path, threads=threads)
    assert net.blobs["tanh"].shape == (6, 3)
    for selector in ([0, 1, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0], [1] * 6, [1, 1, 0, 0, 0, 0]):
        run(net, selector)
        assert net.blobs["picked"].shape == (sum(selector), 2, 2, 1)


def test_nothing_may_be_picked(path):
    path.write_text(
        NET.partition('layer { name: "ip"')[0]
        + 'layer { name: "tanh" type: "TanH" bottom: "picked" top: "tanh" }'
    )
    net = load(path)
    assert net.forward(x=image(), s=np.zeros(6))["tanh"].shape == (0, 2, 2, 1)
    assert not net.backward(tanh=np.zeros((0, 2, 2, 1)))["x"].any()
    assert net.forward(x=image(), s=np.eye(6)[2])["tanh"].any()


@pytest.mark.parametrize("phase", ["test", "train"])
def test_what_stands_before_runs_once(path, phase):
    """Statistics move once in a pass in which shapes change, and masks stay those of the pass.

    Against a net of the same layers in which the others get no gradient.
    """
    resized = load(path, phase=phase, threads=1)
    fixed = load(path, phase=phase, threads=1)
    for net, selector in ((resized, [1, 0, 1, 0, 0, 0]), (fixed, [1] * 6)):
        net.forward(x=image(), s=np.array(selector))
    for mine, its in zip(resized.params["bn"], fixed.params["bn"], strict=True):
        np.testing.assert_array_equal(mine.data, its.data)
    np.testing.assert_array_equal(resized.blobs["drop"].data, fixed.blobs["drop"].data)
    dy = np.random.default_rng(3).standard_normal((2, 3))
    padded = np.zeros((6, 3))
    padded[[0, 2]] = dy
    few, whole = resized.backward(tanh=dy)["x"], fixed.backward(tanh=padded)["x"]
    np.testing.assert_allclose(few, whole, rtol=1e-4, atol=1e-6)
    for mine, its in zip(resized.learned, fixed.learned, strict=True):
        np.testing.assert_allclose(mine.diff, its.diff, rtol=1e-4, atol=1e-6)


def test_another_batch_starts_with_room_for_all(path):
    net = load(path, threads=2)
    run(net, [0, 1, 1, 0, 0, 1])
    run(net, [0, 1, 1, 0])
    run(net, [1, 1, 1, 1, 1, 1, 1, 0])


def test_a_gradient_that_was_not_planned_for(path):
    path.write_text(NET.replace("force_backward: true", ""))
    net = load(path, threads=1)
    run(net, [0, 1, 1, 0, 0, 1])
    net.backward(tanh=np.ones((3, 3)))
    assert net.params["conv"][0].diff.any()


def test_one_filter_after_the_other(path):
    path.write_text(
        NET
        + """
layer { name: "t" type: "Input" top: "t" input_param { shape { dim: 6 } } }
layer { name: "first" type: "Filter" bottom: "t" bottom: "s" top: "t2" }
layer { name: "second" type: "Filter" bottom: "tanh" bottom: "t2" top: "twice" }
layer { name: "again" type: "Filter" bottom: "pool" bottom: "s" top: "again" }
layer { name: "both" type: "Eltwise" bottom: "picked" bottom: "again" top: "both" }
layer { name: "power" type: "Power" bottom: "twice" top: "power" power_param { scale: 2 } }
"""
    )
    net = load(path, threads=2)
    for s, t, rows in (
        ([0, 1, 1, 0, 0, 1], [1, 0, 1, 0, 0, 1], [1, 2]),
        ([1, 1, 1, 1, 1, 0], [0, 0, 1, 0, 0, 1], [2]),
    ):
        out = net.forward(x=image(), s=np.array(s), t=np.array(t))["power"]
        np.testing.assert_allclose(out, 2 * net.blobs["tanh"].data[rows], rtol=1e-6)
        picked = net.blobs["pool"].data[np.flatnonzero(s)]
        np.testing.assert_allclose(net.blobs["both"].data, 2 * picked, rtol=1e-6)
        dx = net.backward(power=np.ones((len(rows), 3)), both=np.zeros(picked.shape))["x"]
        assert dx.reshape(6, -1).any(axis=1).tolist() == [n in mixed(rows, s) for n in range(6)]


def mixed(rows, selector):
    """Which images the picked rows of the picked rows are."""
    return np.flatnonzero(selector)[rows]


def test_what_follows_must_fit(path):
    path.write_text(
        NET + 'layer { name: "sum" type: "Eltwise" bottom: "pool" bottom: "picked" top: "sum" }'
    )
    net = load(path)
    net.forward(x=image(), s=np.ones(6))
    with pytest.raises(netdef.NetdefError, match="bottom `picked` of layer `sum` is 1×2×2×1"):
        net.forward(x=image(), s=np.eye(6)[0])
    net.forward(x=image(), s=np.ones(6))
