"""Gradients checked by numbers, rates tried."""

from __future__ import annotations

import sys

import pytest

import netdef
from netdef.api.checks import gradcheck
from netdef.doctor.ranging import try_rates

WRONG = """import netdef
class Wrong(netdef.Layer):
    def setup(self, bottom, top):
        pass
    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)
    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data ** 2
    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = FACTOR * bottom[0].data * top[0].diff
"""
NET = """
layer { name: "data" type: "DummyData" top: "data" top: "target"
  dummy_data_param { shape { dim: 5 dim: 4 } shape { dim: 5 dim: 3 }
    data_filler { type: "gaussian" } data_filler { type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "own" type: "Python" bottom: "ip" top: "own"
  python_param { module: "MODULE" layer: "Wrong" } }
layer { name: "loss" type: "EuclideanLoss" bottom: "own" bottom: "target" top: "loss" }
"""


@pytest.mark.parametrize("name", ["healthy/residual", "healthy/recurrent", "broken/many_sigmoids"])
def test_all_layers_of_a_net_are_right(nets, name):
    found = list(gradcheck(nets / f"{name}.prototxt"))

    assert [f for f in found if f.verdict != "ok"] == []
    assert any(f.target == "weight" for f in found)
    assert any(f.target.startswith("bottom") for f in found)


@pytest.mark.parametrize(("factor", "verdict"), [("2", "ok"), ("2.01", "wrong")])
def test_a_layer_of_ones_own(tmp_path, monkeypatch, factor, verdict):
    module = f"wrong_layer_{verdict}"
    (tmp_path / f"{module}.py").write_text(WRONG.replace("FACTOR", factor))
    model = tmp_path / "net.prototxt"
    model.write_text(NET.replace("MODULE", module))
    monkeypatch.syspath_prepend(tmp_path)
    found = {f.layer: f.verdict for f in gradcheck(model)}
    sys.modules.pop(module, None)

    assert found == {"ip": "ok", "own": verdict, "loss": "ok"}


def test_a_rate_found_by_trying_trains(nets):
    model = nets / "healthy" / "mlp.prototxt"
    solver = netdef.load_solver(nets / "solver.prototxt", model=model, threads=1)
    found = try_rates(solver, 100)

    assert solver.iter == 0
    assert found.flown is not None
    assert found.rates[0] < found.suggested < found.flown
    trained = netdef.load_solver(
        nets / "solver.prototxt", model=model, settings=[f"base_lr={found.suggested}"], threads=1
    )
    trained.step(60)
    assert trained.net.loss < 1.0


def test_a_net_that_cannot_learn_has_no_rate(nets):
    model = nets / "broken" / "zero_weights.prototxt"
    solver = netdef.load_solver(nets / "solver.prototxt", model=model, threads=1)
    assert try_rates(solver, 40, 1e-8, 1e-4).suggested is None
