"""`netdef diff`: weights, states, nets and solvers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from netdef.schema.weights import read_weights, write_weights

MODEL, STATE = "tiny_iter_20.caffemodel", "tiny_iter_20.solverstate"


def test_the_same_weights_in_two_formats(call, trained):
    assert call("convert", MODEL, "x.safetensors").exit_code == 0
    result = call("diff", MODEL, "x.safetensors", "--exit-code")
    assert result.exit_code == 0
    assert "nothing differs: 2 arrays, bit for bit" in result.stdout


def test_what_changed_and_by_how_much(call, folder):
    a = np.array([[3, 0, 4], [0, 0, 0]], "f4")
    b = np.array([[3, 0, 4], [0, 2, 0]], "f4")
    write_weights(folder / "a.npz", {"ip": [a, a[0]], "old": [a], "cut": [a]})
    write_weights(folder / "b.npz", {"ip": [b, a[0]], "new": [a], "cut": [a.T]})
    found = json.loads(call("diff", "a.npz", "b.npz", "--json").stdout)
    changes = {c["name"]: c for c in found["changes"]}
    assert {n: c["what"] for n, c in changes.items()} == {
        "ip[0]": "changed",
        "ip[1]": "same",
        "old[0]": "removed",
        "cut[0]": "shape",
        "new[0]": "added",
    }
    one = changes["ip[0]"]
    assert (one["largest"], one["mean"]) == (2, pytest.approx(1 / 3))
    assert one["relative"] == pytest.approx(0.4)
    assert one["cosine"] == pytest.approx(25 / 5 / 29**0.5)
    result = call("diff", "a.npz", "b.npz", "--exit-code")
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    assert "ip[0] changed 2×3 2 0.333 0.4 0.928477" in text
    assert "cut[0] shape 2×3 3×2" in text
    assert "1 changed, 1 same, 1 removed, 1 of another shape, 1 added" in text
    assert "ip[1]" not in text
    assert "ip[1]" in call("diff", "a.npz", "b.npz", "--all").stdout


def test_values_that_are_no_numbers(call, folder):
    nan, inf = float("nan"), float("inf")
    write_weights(folder / "a.npz", {"x": [np.array([nan, inf, 1], "f4")], "y": [np.ones(2, "f4")]})
    write_weights(
        folder / "b.npz", {"x": [np.array([nan, inf, 2], "f4")], "y": [np.array([1, nan], "f4")]}
    )
    assert call("diff", "a.npz", "a.npz", "--exit-code").exit_code == 0
    found = json.loads(call("diff", "a.npz", "b.npz", "--json").stdout, parse_constant=pytest.fail)
    assert [c["what"] for c in found["changes"]] == ["changed", "changed"]
    assert [c["largest"] for c in found["changes"]] == [1, None]


def test_states(call, trained):
    call("train", "solver.prototxt", "--max-iter", "10")
    text = " ".join(call("diff", "tiny_iter_10.solverstate", STATE).stdout.split())
    assert "iteration changed 10 20" in text
    assert "history[0] changed" in text


def test_nets_and_solvers(call, folder):
    text = (folder / "net.prototxt").read_text()
    (folder / "b.prototxt").write_text(
        text.replace("num_output: 2", "num_output: 5").replace('name: "loss"', 'name: "l2"')
    )
    out = " ".join(call("diff", "net.prototxt", "b.prototxt").stdout.split())
    assert "layer[ip].inner_product_param.num_output changed 2 5" in out
    assert "layer[loss].type removed EuclideanLoss" in out
    assert "layer[l2].type added EuclideanLoss" in out
    text = (folder / "solver.prototxt").read_text()
    (folder / "s.prototxt").write_text(text.replace("base_lr: 0.1", "base_lr: 0.2"))
    out = " ".join(call("diff", "solver.prototxt", "s.prototxt").stdout.split())
    assert "base_lr changed 0.1 0.2" in out
    assert "nothing differs" in call("diff", "solver.prototxt", "solver.prototxt").stdout


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(MODEL, STATE, "N607"), (MODEL, "net.prototxt", "N607"), ("nothing", MODEL, "N101")],
)
def test_files_that_cannot_be_compared(call, trained, first, second, code):
    result = call("diff", first, second)
    assert result.exit_code == 1
    assert f"error[{code}]" in result.stderr


# convert


@pytest.mark.parametrize("middle", ["x.npz", "x.safetensors", "x.caffemodel.h5", "x.caffemodel"])
def test_there_and_back(call, trained, middle):
    if middle.endswith("h5"):
        pytest.importorskip("h5py")
    result = call("convert", MODEL, middle)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{middle}: weights, 2 arrays, ")
    assert call("convert", middle, "back.caffemodel").exit_code == 0
    ours, its = read_weights(MODEL), read_weights("back.caffemodel")
    for a, b in zip(ours["ip"], its["ip"], strict=True):
        np.testing.assert_array_equal(a, b)
    assert call("test", "net.prototxt", "--weights", middle, "--iterations", "1").exit_code == 0


def test_a_state_becomes_hdf5_and_resumes(call, trained):
    pytest.importorskip("h5py")
    assert call("convert", STATE, "x.solverstate.h5").exit_code == 0
    done = call("train", "solver.prototxt", "--resume", "x.solverstate.h5", "--max-iter", "25")
    assert done.exit_code == 0


def test_names_that_say_no_format(call, trained):
    result = call("convert", MODEL, "x.bin")
    assert "error[N608]" in result.stderr
    assert "in which format weights are to be written" in result.stderr
    assert "a solver state is to be written" in call("convert", STATE, "x.npz").stderr
    assert not (trained / "x.bin").exists()


def test_shared_blobs_need_the_net(call, folder):
    pytest.importorskip("h5py")
    two = "".join(
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
        'param { name: "w" } inner_product_param { num_output: 3 bias_term: true '
        'weight_filler { type: "xavier" } } }\n'
        for name, bottom in (("a", "data"), ("b", "a"))
    )
    text = (folder / "net.prototxt").read_text().replace('bottom: "data"', 'bottom: "b"')
    begin = text.index('layer {\n  name: "ip"')
    (folder / "net.prototxt").write_text(text[:begin] + two + text[begin:])
    assert call("train", "solver.prototxt", "--set", "snapshot_format=HDF5").exit_code == 0
    result = call("convert", f"{MODEL}.h5", "x.caffemodel")
    assert "error[N609]" in result.stderr
    assert "leaves out blob 0 of layer `b`" in result.stderr
    net = ("--net", "net.prototxt")
    assert call("convert", f"{MODEL}.h5", "x.caffemodel", *net).exit_code == 0
    found = read_weights("x.caffemodel")
    np.testing.assert_array_equal(found["a"][0], found["b"][0])
    assert call("convert", "x.caffemodel", "y.caffemodel.h5", *net).exit_code == 0
    assert read_weights("y.caffemodel.h5")["b"][0] is None
