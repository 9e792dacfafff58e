"""HDF5Output: what a net writes, HDF5Data reads."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import netdef
from netdef.diag import BottomError, FieldError
from netdef.layers.base import Phase
from netdef.layers.hdf5_output import HDF5Output
from netdef.schema import LayerParameter

NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 dim: 5 } } }
layer { name: "l" type: "Input" top: "l" input_param { shape { dim: 4 } } }
layer { name: "tanh" type: "TanH" bottom: "x" top: "tanh" }
layer { name: "out" type: "HDF5Output" bottom: "tanh" bottom: "l"
  hdf5_output_param { file_name: "out.h5" } }
"""


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(NET)
    return netdef.load("net.prototxt", threads=2)


def image(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 3, 5)).astype(np.float32)


def test_each_pass_adds_rows(net, tmp_path):
    path = tmp_path / "out.h5"
    assert not path.exists()
    net.forward(x=image(4), l=np.arange(4))
    net.forward(x=image(2, 1), l=np.arange(2))  # a plan of its own goes on with the file
    net.close()
    with h5py.File(path) as file:
        assert sorted(file) == ["data", "label"]
        assert file["label"][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 0, 1]
        expected = np.tanh(np.concatenate([image(4), image(2, 1)]))
        np.testing.assert_allclose(file["data"][..., 0], expected, rtol=1e-6)


def test_a_net_that_is_only_made_writes_nothing(net, tmp_path):
    (tmp_path / "out.h5").write_text("kept")
    netdef.load("net.prototxt").close()
    netdef.check("net.prototxt")
    assert (tmp_path / "out.h5").read_text() == "kept"


def test_hdf5_data_reads_it(net, tmp_path):
    net.forward(x=image(4), l=np.arange(4))
    (tmp_path / "list.txt").write_text("out.h5\n")
    (tmp_path / "back.prototxt").write_text(
        'layer { name: "d" type: "HDF5Data" top: "data" top: "label" '
        'hdf5_data_param { source: "list.txt" batch_size: 4 } }'
    )
    with netdef.load("back.prototxt") as back:
        out = back.forward()
        np.testing.assert_allclose(out["data"][..., 0], np.tanh(image(4)), rtol=1e-6)
        assert out["label"].reshape(-1).tolist() == [0, 1, 2, 3]


def test_a_folder_that_is_not_there(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET.replace("out.h5", f"{tmp_path}/no/out.h5"))
    net = netdef.load(tmp_path / "net.prototxt")
    with pytest.raises(netdef.NetdefError, match="make the folder") as caught:
        net.forward()
    assert caught.value.report.errors[0].line == 5


@pytest.mark.parametrize(
    ("shapes", "bottom", "expected"),
    [(((2, 3), ()), 1, "is a scalar"), (((2, 3), (3,)), 1, "two different batches")],
)
def test_shapes_refuses(shapes, bottom, expected):
    with pytest.raises(BottomError, match=expected) as caught:
        HDF5Output("x").shapes(shapes)
    assert caught.value.bottom == bottom


def test_read():
    message = LayerParameter(hdf5_output_param={"file_name": "a/x.h5"})
    layer = HDF5Output.read(message, Phase.TEST)
    assert layer == HDF5Output("a/x.h5")
    assert layer.settings() == "x.h5"
    with pytest.raises(FieldError, match=r"hdf5_output_param\.file_name is missing"):
        HDF5Output.read(LayerParameter(), Phase.TEST)
