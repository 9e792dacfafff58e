from __future__ import annotations

import numpy as np
import pytest

import netdef
from netdef.diag import FieldError
from netdef.layers.base import Phase
from netdef.layers.memory_data import MemoryData
from netdef.schema import LayerParameter

PARAM = {"batch_size": 2, "channels": 3, "height": 5, "width": 7}
NET = """
layer { name: "data" type: "MemoryData" top: "data" top: "label"
  memory_data_param { batch_size: 2 channels: 3 height: 5 width: 7 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


def read(**fields):
    return MemoryData.read(LayerParameter(memory_data_param=fields), Phase.TRAIN)


def test_read():
    layer = read(**PARAM)
    assert layer == MemoryData(2, 3, 5, 7)
    assert layer.known_shapes(("data", "label")) == ((2, 3, 5, 7), (2,))
    assert layer.settings() == ""


@pytest.mark.parametrize("name", PARAM)
def test_every_size_is_needed(name):
    with pytest.raises(FieldError, match=rf"memory_data_param\.{name} is missing"):
        read(**{key: value for key, value in PARAM.items() if key != name})
    with pytest.raises(FieldError, match=rf"memory_data_param\.{name} must be at least 1, is 0"):
        read(**PARAM | {name: 0})


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)
    return netdef.load(tmp_path / "net.prototxt", phase="train", seed=1)


def test_set_input_arrays(net):
    data = np.random.default_rng(0).standard_normal((4, 3, 5, 7)).astype(np.float32)
    net.set_input_arrays(data, np.array([0, 1, 2, 3]))
    for rows in (slice(0, 2), slice(2, 4), slice(0, 2)):
        net.forward()
        np.testing.assert_array_equal(net.blobs["data"].data, data[rows])
        assert net.blobs["label"].data.tolist() == list(range(4))[rows]
        net.backward()
    net.set_input_arrays(data[2:], np.array([3, 3]), layer="data")
    net.forward()
    np.testing.assert_array_equal(net.blobs["data"].data, data[2:])


def test_forward_without_data_says_what_to_do(net):
    with pytest.raises(netdef.NetdefError, match=r"net\.set_input_arrays\(data, labels\)"):
        net.forward()


def test_arrays_and_layers_that_do_not_fit(net, tmp_path):
    with pytest.raises(ValueError, match="3 examples are no multiple of the batch of 2"):
        net.set_input_arrays(np.zeros((3, 3, 5, 7)), np.zeros(3))
    with pytest.raises(ValueError, match=r"no MemoryData layer takes the arrays.*: `data`"):
        net.set_input_arrays(np.zeros((2, 3, 5, 7)), np.zeros(2), layer="ip")
    (tmp_path / "other.prototxt").write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }'
    )
    with pytest.raises(ValueError, match="the net's are: none"):
        netdef.load(tmp_path / "other.prototxt").set_input_arrays(np.zeros(2), np.zeros(2))
