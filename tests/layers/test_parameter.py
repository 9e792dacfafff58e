"""Parameter: what goes in comes out."""

from __future__ import annotations

import numpy as np
import pytest

import netdef
from netdef.diag import FieldError
from netdef.layers.base import Phase
from netdef.layers.parameter import Parameter
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws

NET = """
layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 2 dim: 3 } }
        param { name: "shared" } }
layer { name: "v" type: "Parameter" top: "v" parameter_param { shape { dim: 2 dim: 3 } }
        param { name: "shared" } }
layer { name: "sum" type: "Eltwise" bottom: "w" bottom: "v" top: "y"
        eltwise_param { coeff: 2 coeff: 3 } }
"""


class TestParameter(LayerLaws):
    cases = [
        Case(Parameter((2, 3)), (), batch_of_one=False, nonfinite=False, name="matrix"),
        Case(Parameter(()), (), batch_of_one=False, nonfinite=False, name="scalar"),
    ]

    def reference(self, layer, bottoms, params):
        return (params[0],)


def test_a_net_learns_it(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)
    net = netdef.load(tmp_path / "net.prototxt")
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert not net.params["w"][0].data.any()
    net.params["w"][0].data[...] = value
    np.testing.assert_array_equal(net.forward()["y"], 5 * value)
    net.backward(y=value)
    np.testing.assert_array_equal(net.params["w"][0].diff, 5 * value)


def read(**fields):
    return Parameter.read(LayerParameter(parameter_param=fields), Phase.TRAIN)


def test_reads_what_is_written():
    assert read(shape={"dim": [2, 3]}) == Parameter((2, 3))
    assert read() == Parameter(())


def test_refuses_a_size():
    with pytest.raises(FieldError) as caught:
        read(shape={"dim": [2, -1]})
    assert caught.value.field == "parameter_param.shape.dim[1]"
    assert caught.value.help


def test_counts_and_words():
    (learned,) = Parameter((2, 3)).params(())
    assert (learned.role, learned.shape, learned.statistic) == ("value", (2, 3), False)
    assert Parameter((2, 3)).settings() == "2×3"
