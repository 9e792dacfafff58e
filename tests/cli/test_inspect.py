"""`netdef inspect`: every kind of file, whole and broken."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

MODEL, STATE = "tiny_iter_20.caffemodel", "tiny_iter_20.solverstate"


def rows(result):
    return [line.split() for line in result.stdout.splitlines()]


def test_weights(call, trained):
    result = call("inspect", MODEL)
    assert result.exit_code == 0
    assert ["ip[0]", "weight", "2×3", "6", "24", "B", "float32"] in rows(result)
    assert "2 arrays, 8 values" in result.stdout


def test_state(call, trained):
    text = call("inspect", STATE).stdout
    assert ["iteration", "20"] in rows(call("inspect", STATE))
    assert MODEL in text
    assert "ip[0] weight v last step, momentum's memory 2×3 6 24 B" in " ".join(text.split())
    assert "2 params; beside each, SGD keeps 1 array" in " ".join(text.split())


def test_state_without_its_model(call, trained):
    (trained / MODEL).unlink()
    assert ["history[0]", "v"] in [row[:2] for row in rows(call("inspect", STATE))]


def test_state_of_a_model_that_is_gone_is_named_by_the_net(call, trained):
    (trained / MODEL).unlink()
    result = call("inspect", STATE, "--net", "net.prototxt")
    assert result.exit_code == 0
    assert "ip[1] bias v" in " ".join(result.stdout.split())
    assert "2 of 2 params fit" in result.stdout
    text = (trained / "net.prototxt").read_text()
    (trained / "net.prototxt").write_text(text.replace("num_output: 2", "num_output: 5"))
    result = call("inspect", STATE, "--net", "net.prototxt")
    assert result.exit_code == 1
    assert "`ip[0]` is 2×3 in the file, 5×3 in the net" in result.stdout


def as_caffe(path):
    """The state as Caffe would write it."""
    from netdef.schema.weights import SolverStateData, read_state, write_state

    state = read_state(path)
    write_state(path, SolverStateData(state.iteration, state.learned_net, state.history))


def test_a_state_of_caffe_is_guessed_at(call, trained):
    as_caffe(trained / STATE)
    text = " ".join(call("inspect", STATE).stdout.split())
    assert "ip[0] weight 1 of 1 2×3" in text
    assert "2 params with one slot each: SGD and Nesterov keep" in text


def test_a_state_of_caffe_is_named_by_its_solver(call, folder):
    call("train", "solver.prototxt", "--set", "type=Adam")
    as_caffe(folder / STATE)
    text = " ".join(call("inspect", STATE).stdout.split())
    assert "ip[0] weight 2 of 2 2×3" in text
    assert "2 params with two slots each" in text
    (folder / "adam.prototxt").write_text('base_lr: 1 type: "Adam" momentum: 0.5')
    text = " ".join(call("inspect", STATE, "--solver", "adam.prototxt").stdout.split())
    assert "ip[0] weight v moving mean of squared gradients 2×3" in text
    assert "momentum^t = 4.76837e-07" in text


def test_three_conv_answers_why_there_are_two_more_variables(call, folder):
    models = Path(__file__).parents[2] / "models/three_conv"
    (folder / "models").mkdir()
    shutil.copytree(models, folder / "models/three_conv", ignore=lambda *_: ["snapshots"])
    done = call("train", "models/three_conv/solver.prototxt", "--max-iter", "1", "--seed", "1")
    assert done.exit_code == 0
    folder = "models/three_conv/snapshots/three_conv_iter_1"
    text = call("inspect", f"{folder}.solverstate").stdout
    golden = Path(__file__).parents[1] / "golden/inspect/three_conv_state.txt"
    if os.environ.get("NETDEF_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_two_slots(call, folder):
    call("train", "solver.prototxt", "--set", "type=Adam")
    text = " ".join(call("inspect", STATE).stdout.split())
    assert "ip[0] weight v moving mean of squared gradients 2×3" in text
    assert "2 params; beside each, Adam keeps 2 arrays" in text
    assert "momentum2^t = 0.979209 beta2^t, which TensorFlow saves as beta2_power" in text


def test_hdf5(call, folder):
    pytest.importorskip("h5py")
    call("train", "solver.prototxt", "--set", "snapshot_format=HDF5")
    assert "ip[0] weight 2×3 6" in " ".join(call("inspect", f"{MODEL}.h5").stdout.split())
    assert ["iteration", "20"] in rows(call("inspect", f"{STATE}.h5"))


def test_statistics(call, folder):
    values = np.array([[0, -2, 4, np.nan], [0, np.inf, 1, 0]], np.float32)
    np.savez(folder / "x.npz", w=values)
    text = call("inspect", "x.npz", "--stat", "--json").stdout
    (entry,) = json.loads(text, parse_constant=pytest.fail)["entries"]
    assert entry["shape"] == [2, 4]
    assert entry["statistics"] == {
        "min": -2,
        "max": 4,
        "mean": pytest.approx(0.5),
        "std": pytest.approx(np.std([0, -2, 4, 0, 1, 0])),
        "zeros": 3,
        "non_finite": 2,
        "histogram": [1, 0, 0, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1],
    }
    row = rows(call("inspect", "x.npz", "--stat"))[2]
    assert row[-6:] == ["3", "2", "▄", "█", "▄", "▄"]


def test_all_values_bad(call, folder):
    np.savez(folder / "x.npz", w=np.full(3, np.nan))
    text = call("inspect", "x.npz", "--stat", "--json").stdout
    found = json.loads(text, parse_constant=pytest.fail)["entries"][0]["statistics"]
    assert (found["min"], found["non_finite"]) == (None, 3)


def test_safetensors(call, folder):
    header = {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "__metadata__": {"k": "v"},
    }
    head = json.dumps(header).encode()
    data = np.array([1, 3], "<f4").tobytes()
    (folder / "x.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)
    text = call("inspect", "x.safetensors", "--stat", "--json").stdout
    found = json.loads(text)
    assert found["facts"] == {"k": "v"}
    assert found["entries"][0]["statistics"]["mean"] == 2


def test_mean_image(call, folder):
    from netdef.data.mean import write_mean

    mean = np.stack([np.full((2, 4), value, np.float32) for value in (1, 2, 3)])
    write_mean(folder / "mean.binaryproto", mean)
    text = call("inspect", "mean.binaryproto").stdout
    assert "3×2×4" in text
    assert "mean of each channel: 1, 2, 3" in text


def test_lmdb(call, folder):
    pytest.importorskip("lmdb")
    from netdef.data import lmdb_store
    from netdef.schema import Datum

    datum = Datum(channels=2, height=3, width=4, data=bytes(24), label=7).SerializeToString()
    lmdb_store.write(folder / "x_lmdb", [(b"0", datum), (b"1", datum)])
    text = call("inspect", "x_lmdb")
    assert ["records", "2"] in rows(text)
    assert ["first", "label", "7"] in rows(text)
    assert "2×3×4" in text.stdout


def test_json(call, trained):
    found = json.loads(call("inspect", MODEL, "--json").stdout)
    assert found["format_version"] == 1
    assert found["count"] == 8
    assert [(e["name"], e["layer"], e["index"]) for e in found["entries"]] == [
        ("ip[0]", "ip", 0),
        ("ip[1]", "ip", 1),
    ]


def test_against_a_net(call, trained):
    result = call("inspect", MODEL, "--net", "net.prototxt")
    assert result.exit_code == 0
    assert "1 of 1 layers with weights fit" in result.stdout
    text = (trained / "net.prototxt").read_text()
    (trained / "net.prototxt").write_text(text.replace("num_output: 2", "num_output: 5"))
    result = call("inspect", MODEL, "--net", "net.prototxt")
    assert result.exit_code == 1
    assert "`ip` is 2×3, 2 in the file, 5×3, 5 in the net" in result.stdout
    (trained / "net.prototxt").write_text(text.replace('name: "ip"', 'name: "ip1"'))
    text = " ".join(call("inspect", MODEL, "--net", "net.prototxt").stdout.split())
    assert "`ip1` of the net is not in the file; the file has `ip`" in text
    assert "`ip` of the file is not in the net" in text


@pytest.mark.parametrize(
    ("file", "code"),
    [("nothing", "N101"), ("net.prototxt", "N606"), (".", "N606"), ("empty", "N150")],
)
def test_other_files(call, folder, file, code):
    (folder / "empty").touch()
    result = call("inspect", file)
    assert result.exit_code == 1
    assert f"error[{code}]" in result.stderr


@pytest.mark.parametrize("suffix", ["caffemodel", "solverstate", "npz", "safetensors", "h5"])
def test_broken_files(call, trained, suffix):
    path = trained / f"tiny_iter_20.{suffix}"
    if suffix == "npz":
        np.savez(path, w=np.arange(100))
    elif suffix == "safetensors":
        head = b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
        path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(8))
    elif suffix == "h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file["x"] = np.arange(1000.0)
    whole = path.read_bytes()
    # in the middle of a field: where one ends, a shorter binary state is whole as well
    for missing in (1, 5):
        path.write_bytes(whole[:-missing])
        result = call("inspect", path, "--stat")
        assert "Traceback" not in result.output
        assert result.exit_code == 1, (missing, result.output)


def test_layers_that_a_net_does_not_use_are_no_mistake(call, trained):
    text = (trained / "net.prototxt").read_text()
    (trained / "less.prototxt").write_text(text[: text.index('layer {\n  name: "ip"')])
    result = call("inspect", MODEL, "--net", "less.prototxt")
    assert result.exit_code == 0
    assert "`ip` of the file is not in the net" in result.stdout
    found = json.loads(call("inspect", MODEL, "--net", "less.prototxt", "--json").stdout)
    assert found["against_net"] == {
        "misfits": [],
        "unused": ["ip"],
        "fitting": 0,
        "wanted": 0,
        "what": "layers with weights",
    }


def test_shared_blobs_are_named_once_in_a_state(call, folder):
    two = "".join(
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
        'param { name: "w" } inner_product_param { num_output: 3 bias_term: false '
        'weight_filler { type: "xavier" } } }\n'
        for name, bottom in (("a", "data"), ("b", "a"))
    )
    text = (folder / "net.prototxt").read_text().replace('bottom: "data"', 'bottom: "b"')
    begin = text.index('layer {\n  name: "ip"')
    (folder / "net.prototxt").write_text(text[:begin] + two + text[begin:])
    assert call("train", "solver.prototxt").exit_code == 0
    names = [row[0] for row in rows(call("inspect", STATE)) if len(row) > 1]
    assert [name for name in names if "[" in name] == ["a[0]", "ip[0]", "ip[1]"]


def test_a_foreign_file_is_refused_at_once(call, folder):
    """A few bytes that declare a great deal."""
    import struct

    shape = bytes([0x0A, 9]) + b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
    blob = bytes([0x3A, len(shape)]) + shape + bytes([0x2A, 4]) + struct.pack("<f", 1)
    layer = b"\x0a\x01a" + bytes([0x3A, len(blob)]) + blob
    (folder / "x.caffemodel").write_bytes(b"\xa2\x06" + bytes([len(layer)]) + layer)
    result = call("inspect", "x.caffemodel")
    assert result.exit_code == 1
    assert "has 1 values, which is not its shape" in result.stderr
