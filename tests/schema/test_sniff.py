from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from netdef.schema import BlobProto, NetParameter
from netdef.schema.sniff import Kind, kind_of_text, sniff

FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd_momentum_l2.caffemodel", Kind.MODEL),
        ("adadelta.caffemodel", Kind.MODEL),
        ("sgd_momentum_l2.solverstate", Kind.STATE),
        ("adadelta.solverstate", Kind.STATE),
        ("adam.caffemodel.h5", Kind.MODEL_HDF5),
        ("adam.solverstate.h5", Kind.STATE_HDF5),
        ("caffe_schema.tsv", Kind.TEXT),
    ],
)
def test_files_of_caffe_whatever_their_name(tmp_path, name, kind):
    path = tmp_path / "x"
    path.write_bytes((FILES / name).read_bytes())
    assert sniff(path) is kind
    if kind in (Kind.MODEL, Kind.STATE):
        path.write_bytes((FILES / name).read_bytes()[:900])  # the rest never came
        assert sniff(path) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('layer { name: "a" }', Kind.NET_TEXT),
        ('name: "x"\nlayers < name: "a" >', Kind.NET_TEXT),
        ('# base_lr: 1 max_iter: 2\nname: "net: { base_lr: 1" input: "x"', Kind.NET_TEXT),
        ("layer { base_lr: 1 momentum: 2 max_iter: 3 }", Kind.NET_TEXT),
        ('net: "a.prototxt" base_lr: 0.1', Kind.SOLVER_TEXT),
        ('net_param { layer { name: "a" } } type: "SGD"', Kind.SOLVER_TEXT),
        ("hello world", Kind.TEXT),
        ('<html><a href="x: {">layer</a>', Kind.TEXT),
        ("}}}} > base_lr: 1", Kind.SOLVER_TEXT),
    ],
)
def test_texts(text, kind):
    assert kind_of_text(text) is kind


def test_other_formats(tmp_path):
    np.savez(tmp_path / "npz.npz", a=np.ones(2))
    head = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "safe").write_bytes(len(head).to_bytes(8, "little") + head + bytes(4))
    (tmp_path / "mean").write_bytes(
        BlobProto(num=1, channels=3, height=2, width=2, data=[0] * 12).SerializeToString()
    )
    (tmp_path / "empty").touch()
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 3)
    (tmp_path / "db").mkdir()
    (tmp_path / "db/data.mdb").touch()
    (tmp_path / "level").mkdir()
    (tmp_path / "level/CURRENT").touch()
    (tmp_path / "folder").mkdir()
    kinds = {path.name: sniff(path) for path in tmp_path.iterdir()}
    assert kinds == {
        "npz.npz": Kind.NPZ,
        "safe": Kind.SAFETENSORS,
        "mean": Kind.BLOB,
        "empty": Kind.EMPTY,
        "noise": Kind.UNKNOWN,
        "db": Kind.LMDB,
        "level": Kind.LEVELDB,
        "folder": Kind.UNKNOWN,
    }


def test_a_real_lmdb(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    lmdb.open(str(tmp_path / "db")).close()
    assert sniff(tmp_path / "db") is Kind.LMDB
    assert sniff(tmp_path / "db/data.mdb") is Kind.LMDB


def test_a_v1_model_and_one_without_a_name(tmp_path):
    net = NetParameter()
    net.layers.add(name="a").blobs.add(data=[1.0])
    (tmp_path / "x").write_bytes(net.SerializeToString())
    assert sniff(tmp_path / "x") is Kind.MODEL


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        sniff(tmp_path / "no")
