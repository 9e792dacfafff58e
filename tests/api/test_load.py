"""Nets and solvers from their files, and what is looked at without running."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import netdef
from netdef import api
from netdef.api.kinds import problem_kinds
from netdef.diag import NetdefError, Report
from netdef.layers.base import Phase

ROOT = Path(netdef.__file__).parent

NET = """name: "tiny"
layer {
  name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param {
    shape { dim: 6 dim: 3 } shape { dim: 6 dim: 2 }
    data_filler { type: "gaussian" } data_filler { type: "constant" value: 0.5 }
  }
}
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = 'base_lr: 0.5 lr_policy: "fixed" max_iter: 3 random_seed: 1 '


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER + 'net: "net.prototxt"')
    (tmp_path / "inline.prototxt").write_text(SOLVER + "net_param {" + NET + "}")
    (tmp_path / "bare.prototxt").write_text(SOLVER)
    return tmp_path


def test_every_problem_of_the_sources_is_known():
    found = set()
    for path in ROOT.rglob("*.py"):
        found |= set(re.findall(r'^    code = "(N\d+)"$', path.read_text(), re.MULTILINE))
    assert len(found) > 50
    assert found == set(problem_kinds())


def test_all_names_of_the_package():
    assert set(api.__all__) == set(api._HOMES)
    for name in api.__all__:
        assert callable(getattr(api, name)), name
    with pytest.raises(AttributeError):
        _ = api.nothing


@pytest.mark.parametrize("phase", ["train", "TRAIN", 0, Phase.TRAIN])
def test_states(phase):
    state = api.make_state(phase, 2, ["a"])
    assert (state.phase, state.level, state.stages) == (Phase.TRAIN, 2, {"a"})


def test_no_such_phase():
    with pytest.raises(ValueError, match="train or test"):
        api.make_state("trian")


def test_load_with_weights(folder):
    netdef.load("net.prototxt", seed=3).save("w.caffemodel")
    net = netdef.load("net.prototxt", weights="w.caffemodel", phase="train", seed=4)
    other = netdef.load("net.prototxt", seed=3)
    assert net.phase == "TRAIN"
    assert np.array_equal(net.params["ip"][0].data, other.params["ip"][0].data)


@pytest.mark.parametrize("solver", ["solver.prototxt", "inline.prototxt"])
def test_settings_of_the_net(folder, solver):
    found = api.load_solver(
        solver, settings=["net.layer[ip].inner_product_param.num_output=2", "base_lr=0.25"]
    )
    assert found.lr == 0.25
    wide = ["net.layer[data].dummy_data_param.shape[0]={ dim: 6 dim: 9 }"]
    assert api.load_solver(solver, settings=wide).net.params["ip"][0].shape == (2, 9)


def test_settings_of_a_net_given_beside(folder):
    wide = ["net.layer[data].dummy_data_param.shape[0]={ dim: 6 dim: 9 }"]
    solver = api.load_solver("bare.prototxt", "net.prototxt", settings=wide)
    assert solver.net.params["ip"][0].shape == (2, 9)


def test_settings_of_no_net(folder):
    with pytest.raises(NetdefError, match="names no net"):
        api.load_solver("bare.prototxt", settings=["net.name=x"])


def test_out_keeps_the_name(folder):
    assert api.load_solver("solver.prototxt", out="runs").prefix == Path("runs/solver")
    named = api.load_solver("solver.prototxt", settings=["snapshot_prefix=a/b"], out="runs")
    assert named.prefix == Path("runs/b")


def test_warnings_of_files_reach_the_solver(folder):
    (folder / "solver.prototxt").write_text(SOLVER + 'net: "net.prototxt" stepsize: 3')
    solver = api.load_solver("solver.prototxt")
    assert [problem.code for problem in solver.report] == ["N404"]


def test_drawings_take_nets_and_paths(folder):
    net = netdef.load("net.prototxt")
    for show in (api.draw, api.summary, api.params):
        assert "ip" in show(net)
        assert "ip" in show("net.prototxt")
        with pytest.raises(NetdefError):
            show("nothing")


def test_drawings_give_their_report(folder):
    (folder / "net.prototxt").write_text(NET.replace('"InnerProduct"', '"InnerProdct"'))
    report = Report()
    api.summary("net.prototxt", report=report)
    assert "N201" in [problem.code for problem in report]


def test_rates_of_a_solver(folder):
    from netdef.api.look import train_net_of

    assert train_net_of("solver.prototxt", Report()) == ("net.prototxt", 0.5)
    assert train_net_of("bare.prototxt", Report(), look_for_net=False) == ("", 0.5)
    with pytest.raises(NetdefError, match="names no net"):
        train_net_of("bare.prototxt", Report())


def test_check_of_a_solver_checks_its_net(folder):
    (folder / "net.prototxt").write_text(NET.replace('"InnerProduct"', '"InnerProdct"'))
    report = api.check("solver.prototxt")
    assert [(p.code, p.file) for p in report.errors] == [("N201", "net.prototxt")]
    assert len(api.check(["net.prototxt", "solver.prototxt"]).errors) == 1


def test_check_lets_a_net_without_data_in_one_phase_be(folder):
    text = NET.replace('"DummyData"', '"DummyData" include { phase: TRAIN }')
    (folder / "net.prototxt").write_text(text)
    assert api.check("net.prototxt").ok


def test_check_finds_what_a_net_without_any_data_lacks(folder):
    (folder / "net.prototxt").write_text(NET[NET.index('layer {\n  name: "ip') :])
    assert {problem.code for problem in api.check("net.prototxt")} >= {"N204"}


def test_scores_end_where_asked(folder):
    netdef.load("net.prototxt").save("w.caffemodel")
    seen = []

    def each(batch, outputs):
        seen.append(batch)
        return batch < 1

    assert api.test("net.prototxt", ["w.caffemodel"], iterations=9, each=each) is None
    assert seen == [0, 1]


def test_scores_are_means(folder):
    values = []
    found = api.test(
        "net.prototxt",
        iterations=4,
        seed=1,
        each=lambda batch, outputs: values.append(float(outputs[0].values[0])) or True,
    )
    assert found.batches == 4
    assert found.outputs[0].values[0] == pytest.approx(np.mean(values))
    assert found.loss == pytest.approx(np.mean(values))


def test_nothing_to_score(folder):
    silence = 'layer { name: "s" type: "Silence" bottom: "loss" }'
    (folder / "net.prototxt").write_text(NET + silence)
    with pytest.raises(NetdefError, match="has no output"):
        api.test("net.prototxt")


def test_layer_types_have_their_messages():
    rows = {layer.name: {row.message for row in layer.settings} for layer in api.layer_types()}
    assert rows["InnerProduct"] == {"inner_product_param"}
    assert rows["HDF5Data"] == {"hdf5_data_param"}
    assert rows["ReLU"] == {"relu_param"}
    assert rows["TanH"] == {"tanh_param"}
    assert rows["SigmoidCrossEntropyLoss"] == {"loss_param"}
    assert rows["Data"] == {"data_param", "transform_param"}
    for name in ("Silence", "Split", "AbsVal", "BNLL"):
        assert not rows.get(name)
