"""Nets as users hold them: blobs, params, forward, backward, other shapes, weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netdef
from netdef.run.net import Net

NET = """name: "small"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 4 dim: 3 dim: 6 dim: 5 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "zz"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "aside" type: "TanH" bottom: "conv" top: "aa" }
"""


def write(tmp_path: Path, text: str = NET) -> str:
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return str(path)


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return netdef.load(write(tmp_path), seed=1, threads=2)


def image(n: int = 4) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, 3, 6, 5)).astype(np.float32)


class TestLooking:
    def test_names(self, net: Net) -> None:
        assert (net.name, net.phase) == ("small", "TEST")
        assert net.inputs == ["data"]
        assert net.outputs == ["aa", "zz"]  # alphabetical, as in pycaffe
        assert list(net.blobs) == ["data", "conv", "zz", "aa"]
        assert [layer.name for layer in net.layers] == ["data", "conv", "relu", "ip", "aside"]
        assert net.layers[1].place is not None
        assert net.layers[1].place.begin.line == 4

    def test_shapes_and_types(self, net: Net) -> None:
        assert net.blobs["conv"].shape == (4, 2, 4, 3)
        assert net.blobs["conv"].data.dtype == np.float32
        assert [p.data.shape for p in net.params["ip"]] == [(5, 24), (5,)]
        assert (net.blobs["zz"].num, net.blobs["zz"].channels, net.blobs["zz"].width) == (4, 5, 1)


class TestForward:
    def test_with_and_without_arguments(self, net: Net) -> None:
        given = net.forward(data=image())
        assert sorted(given) == ["aa", "zz"]
        kept = {name: array.copy() for name, array in given.items()}
        net.blobs["data"].data[...] = image()
        for name, array in net.forward().items():
            np.testing.assert_array_equal(array, kept[name])

    def test_a_held_array_shows_the_latest_pass(self, net: Net) -> None:
        held = net.blobs["conv"].data
        net.forward(data=image())
        first = held.copy()
        net.forward(data=2 * image())
        assert held is net.blobs["conv"].data
        assert not np.array_equal(held, first)

    def test_part_of_a_net_reads_what_was_written(self, net: Net) -> None:
        net.forward(data=image())
        net.blobs["conv"].data[...] = 1
        net.forward(start="ip")
        weight, bias = (p.data for p in net.params["ip"])
        expected = np.tile(weight.sum(axis=1) + bias, (4, 1))
        np.testing.assert_allclose(net.blobs["zz"].data, expected, rtol=1e-5, atol=1e-6)

    def test_ending_early(self, net: Net) -> None:
        net.forward(data=image())
        before = net.blobs["zz"].data.copy()
        net.forward(data=3 * image(), end="relu")
        np.testing.assert_array_equal(net.blobs["zz"].data, before)

    def test_another_batch_size(self, net: Net) -> None:
        whole = net.forward(data=image(6))["zz"].copy()
        assert whole.shape == (6, 5)
        one = net.forward(data=image(6)[:1])["zz"]
        assert one.shape == (1, 5)
        np.testing.assert_allclose(one, whole[:1], rtol=1e-4, atol=1e-6)

    def test_reshape_of_an_input(self, net: Net) -> None:
        net.blobs["data"].reshape(2, 3, 6, 5)
        net.forward()
        assert net.blobs["conv"].shape == (2, 2, 4, 3)

    def test_other_axes_must_fit(self, net: Net) -> None:
        with pytest.raises(ValueError, match="weight of layer `ip`"):
            net.forward(data=np.zeros((4, 3, 8, 5)))
        assert net.blobs["conv"].shape == (4, 2, 4, 3)
        net.forward(data=image())

    def test_unknown_names(self, net: Net) -> None:
        with pytest.raises(ValueError, match="`dta` is no input of this net; its inputs: data"):
            net.forward(dta=image())
        with pytest.raises(ValueError, match="no layer `cnov`"):
            net.forward(start="cnov")


class TestBackward:
    def test_from_a_blob_that_is_no_loss(self, net: Net) -> None:
        net.forward(data=image())
        net.backward(zz=np.ones((4, 5)))
        flat = net.blobs["conv"].data.reshape(4, 24)
        np.testing.assert_allclose(net.params["ip"][1].diff, [4] * 5)
        np.testing.assert_allclose(
            net.params["ip"][0].diff, np.tile(flat.sum(axis=0), (5, 1)), rtol=1e-5, atol=1e-6
        )

    def test_without_a_loss_it_says_what_to_do(self, net: Net) -> None:
        net.forward(data=image())
        with pytest.raises(ValueError, match=r"backward\(ip2=dy\)"):
            net.backward()

    def test_force_backward_gives_inputs_a_gradient(self, tmp_path: Path) -> None:
        net = netdef.load(write(tmp_path, "force_backward: true\n" + NET), seed=1)
        net.forward(data=image())
        diffs = net.backward(zz=np.ones((4, 5)), aa=np.zeros((4, 2, 4, 3)))
        assert diffs["data"].shape == (4, 3, 6, 5)
        assert diffs["data"].any()

    def test_a_diff_of_another_shape(self, net: Net) -> None:
        net.forward(data=image())
        with pytest.raises(ValueError, match=r"the diff of `zz` is \(5,\), the blob \(4, 5\)"):
            net.backward(zz=np.ones(5))


class TestWeights:
    @pytest.mark.parametrize("name", ["w.caffemodel", "w.caffemodel.h5"])
    def test_save_and_copy(self, net: Net, tmp_path: Path, name: str) -> None:
        net.save(tmp_path / name)
        other = netdef.load(write(tmp_path), tmp_path / name, seed=2)
        for mine, its in zip(net.learned, other.learned, strict=True):
            np.testing.assert_array_equal(mine.data, its.data)

    def test_what_was_matched(self, net: Net, tmp_path: Path) -> None:
        net.save(tmp_path / "w.caffemodel")
        changed = NET.replace('name: "ip"', 'name: "ip_new"')
        copied = netdef.load(write(tmp_path, changed), seed=2).copy_from(tmp_path / "w.caffemodel")
        assert (copied.matched, copied.missing, copied.unused) == (("conv",), ("ip_new",), ("ip",))

    def test_of_another_net(self, net: Net, tmp_path: Path) -> None:
        net.save(tmp_path / "w.caffemodel")
        other = netdef.load(write(tmp_path, NET.replace("num_output: 5", "num_output: 7")), seed=2)
        before = other.params["conv"][0].data.copy()
        with pytest.raises(netdef.NetdefError, match="weight of layer `ip` is 7×24, 5×24"):
            other.copy_from(tmp_path / "w.caffemodel")
        np.testing.assert_array_equal(other.params["conv"][0].data, before)


def test_mistakes_raise_with_all_of_them(tmp_path: Path) -> None:
    text = NET.replace('"Convolution"', '"Convolutoin"').replace('"TanH"', '"Tanh"')
    with pytest.raises(netdef.NetdefError) as caught:
        netdef.load(write(tmp_path, text))
    assert [p.code for p in caught.value.report.errors] == ["N201", "N201"]
    assert "the nearest known type is `Convolution`" in str(caught.value)


def test_labels_outside_the_classes_are_placed(tmp_path: Path) -> None:
    text = (
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 4 } } }\n'
        'layer { name: "t" type: "Input" top: "t" input_param { shape { dim: 3 } } }\n'
        'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "loss" }\n'
    )
    net = netdef.load(write(tmp_path, text))
    with pytest.raises(netdef.NetdefError) as caught:
        net.forward(t=[0, 7, 1])
    (problem,) = caught.value.report.problems
    assert (problem.line, "label 7" in problem.message) == (3, True)


def test_the_same_seed_fills_the_same(tmp_path: Path) -> None:
    path = write(tmp_path)
    first, second, third = (netdef.load(path, seed=s) for s in (1, 1, 2))
    for a, b, c in zip(first.learned, second.learned, third.learned, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        assert a.role == "bias" or not np.array_equal(a.data, c.data)


def test_blobs_may_have_any_name(tmp_path: Path) -> None:
    names = ("self", "blobs", "start", "end", "x", "class")
    text = "force_backward: true\n" + "".join(
        f'layer {{ name: "in_{n}" type: "Input" top: "{n}" '
        "input_param { shape { dim: 2 dim: 3 } } }\n"
        for n in names
    )
    bottoms = " ".join(f'bottom: "{n}"' for n in names)
    text += f'layer {{ name: "sum" type: "Eltwise" {bottoms} top: "data" }}\n'
    net = netdef.load(write(tmp_path, text))
    ones = np.ones((2, 3), np.float32)
    out = net.forward(**{name: k * ones for k, name in enumerate(names)})
    np.testing.assert_array_equal(out["data"], 15 * ones)
    diffs = net.backward(data=2 * ones)
    assert set(diffs) == set(names)
    assert all((diff == 2).all() for diff in diffs.values())


@pytest.mark.parametrize("threads", [1, 2])
def test_part_of_backward_leaves_other_gradients(tmp_path: Path, threads: int) -> None:
    net = netdef.load(write(tmp_path, "force_backward: true\n" + NET), seed=1, threads=threads)
    net.forward(data=image())
    net.backward(zz=np.ones((4, 5)), aa=np.ones((4, 2, 4, 3)))
    whole = [param.diff.copy() for param in net.learned]
    net.clear_param_diffs()
    net.backward(start="aside", end="ip", zz=np.ones((4, 5)))
    for param, diff in zip(net.learned, whole, strict=True):
        expected = diff if param.layer == "ip" else np.zeros_like(diff)
        np.testing.assert_allclose(param.diff, expected, rtol=1e-5, atol=1e-6)
