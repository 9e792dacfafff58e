"""Training against the trajectories that Caffe recorded, and the order of things around it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from netdef.diag import NetdefError, Report
from netdef.run import progress
from netdef.run.solver import Solver
from netdef.schema.document import net_from_text, solver_from_text

GOLDEN = Path(__file__).parents[1] / "golden" / "solvers"
RECORDED = sorted(folder.name for folder in GOLDEN.iterdir())
RESUMED = sorted(path.parent.name for path in GOLDEN.glob("*/snap_iter_10.solverstate*"))

NET = """
layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 } } }
layer { name: "target" type: "Input" top: "y" input_param { shape { dim: 4 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 0.5 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
layer { name: "error" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "error"
  include { phase: TEST } loss_weight: 0 }
"""
SOLVER = 'type: "SGD" base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 random_seed: 3 '


def net(text=NET):
    report = Report()
    document = net_from_text(text, "model.prototxt", report)
    report.raise_if_errors()
    return document


def make(extra="max_iter: 6", text=NET, base=SOLVER, **options):
    report = Report()
    document = solver_from_text(base + extra, "solver.prototxt", report)
    report.raise_if_errors()
    solver = Solver(document, model=net(text), **options)
    fill(solver)
    return solver


def fill(solver, seed=5):
    """The same batch in every blob that users fill."""
    for each in (solver.net, *solver.test_nets):
        random = np.random.default_rng(seed)
        for name in each.inputs:
            each.blobs[name].data[...] = random.normal(size=each.blobs[name].shape)


def record(solver):
    events = []
    solver.add_listener(events.append)
    return events


def values(solver):
    return [p.data.copy() for p in solver.net.learned]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# Caffe's trajectories


def golden(name):
    solver = Solver.from_file(GOLDEN / name / "solver.prototxt", seed=1, threads=1)
    with np.load(GOLDEN / name / "run.npz") as file:
        data = dict(file)
    for key in data:
        if key.startswith("init:"):
            _, layer, index = key.split(":")
            solver.net.params[layer][int(index)].data[...] = data[key]

    def feed():
        for blob in ("data", "label"):
            solver.net.blobs[blob].data[...] = data[f"{blob}:{solver.iter}"]

    solver.add_callback(on_start=feed)
    return solver, data


def compare(solver, data, iteration, most=1e-5):
    for key in data:
        if key.startswith(f"iter{iteration}:"):
            _, layer, index = key.split(":")
            got = solver.net.params[layer][int(index)].data
            largest = np.abs(data[key]).max()
            np.testing.assert_allclose(got, data[key], rtol=0, atol=most * largest, err_msg=key)
            distance = np.linalg.norm(got - data[key])
            assert distance <= 3e-6 * np.linalg.norm(data[key]), key


@pytest.mark.parametrize("name", RECORDED)
def test_trajectory(name):
    solver, data = golden(name)
    events = record(solver)
    for iteration in (1, 2, 5, 10, 20):
        solver.step(iteration - solver.iter)
        # One gradient and its decay cancel to 1e-6; RMSProp divides their rounding by that.
        compare(solver, data, iteration, 3e-5 if name == "rmsprop" else 1e-5)
    losses = [e.loss for e in events if isinstance(e, progress.Iteration)]
    np.testing.assert_allclose(losses, data["loss"], rtol=1e-5)


@pytest.mark.parametrize("name", RESUMED)
def test_resuming_from_caffes_snapshot(name):
    solver, data = golden(name)
    (state,) = (GOLDEN / name).glob("*.solverstate*")
    solver.restore(state)
    assert solver.iter == 10
    compare(solver, data, 10)
    solver.step(10)
    compare(solver, data, 20)


@pytest.mark.parametrize("name", RESUMED)
def test_our_snapshot_holds_what_caffes_does(name):
    from netdef.schema.weights import read_state, read_weights

    solver, _ = golden(name)
    solver.step(10)
    (ours,) = Path().glob("*.solverstate*")
    (its,) = (GOLDEN / name).glob("*.solverstate*")
    mine, caffes = read_state(ours), read_state(its)
    assert ours.name == its.name
    assert mine.learned_net == caffes.learned_net
    assert (mine.iteration, mine.current_step) == (caffes.iteration, caffes.current_step)
    assert [h.shape for h in mine.history] == [h.shape for h in caffes.history]
    for number, (a, b) in enumerate(zip(mine.history, caffes.history, strict=True)):
        np.testing.assert_allclose(
            a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max(), err_msg=str(number)
        )
    (ours,) = Path().glob("*.caffemodel*")
    (its,) = (GOLDEN / name).glob("*.caffemodel*")
    for layer, arrays in read_weights(its).items():
        for a, b in zip(read_weights(ours)[layer], arrays, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


# Caffe's order of things


def test_events_in_order():
    solver = make(
        "max_iter: 4 display: 2 test_iter: 3 test_interval: 2 snapshot: 3 snapshot_prefix: 'snap'"
    )
    events = record(solver)
    solver.solve()
    words = [f"{type(e).__name__} {e.iteration}" for e in events]
    assert words == [
        "Started 0",
        "Testing 0",
        "Tested 0",
        "Iteration 0",
        "Iteration 1",
        "Testing 2",
        "Tested 2",
        "Iteration 2",
        "Snapshotted 3",
        "Iteration 3",
        "Snapshotted 4",
        "Evaluated 4",
        "Testing 4",
        "Tested 4",
        "Finished 4",
    ]
    shown = [e.iteration for e in events if isinstance(e, progress.Iteration) and e.shown]
    assert shown == [0, 2]
    assert [o.name for o in events[3].outputs] == ["loss"]
    assert events[3].outputs[0].loss_weight == 1
    assert events[4].outputs == ()


def test_no_test_before_the_first_iteration_where_not_wanted():
    solver = make("test_iter: 1 test_interval: 5 test_initialization: false")
    events = record(solver)
    solver.step(3)
    assert not [e for e in events if isinstance(e, progress.Tested)]


def test_scores_are_means_over_batches():
    solver = make("test_iter: 3 test_interval: 5 test_compute_loss: true")
    tested = solver.test()
    assert [o.name for o in tested.outputs] == ["error", "loss"]
    assert [o.loss_weight for o in tested.outputs] == [0, 1]
    assert tested.outputs[0].values == tested.outputs[1].values
    assert tested.loss == pytest.approx(tested.outputs[1].values[0])


def test_test_nets_use_the_trained_values():
    solver = make("test_iter: 1 test_interval: 100")
    before = solver.test().outputs[0].values[0]
    solver.step(5)
    assert solver.test().outputs[0].values[0] < before


def test_iter_size_sums_and_divides():
    one, three = make(), make("iter_size: 3")
    one.step(2)
    three.step(2)
    for a, b in zip(values(one), values(three), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_average_loss():
    solver = make("average_loss: 3")
    events = record(solver)
    solver.step(5)
    losses = [e.loss for e in events]
    assert [e.smoothed for e in events] == pytest.approx(
        [np.mean(losses[max(0, n - 2) : n + 1]) for n in range(5)]
    )


def test_rate_looks_and_does_not_touch():
    solver = make("gamma: 0.5 stepvalue: 1 stepvalue: 1", base=SOLVER.replace("fixed", "multistep"))
    events = record(solver)
    seen = []
    for _ in range(4):
        seen.append((solver.lr, solver.lr))
        solver.step(1)
    rates = [e.lr for e in events]
    assert rates == pytest.approx([0.1, 0.05, 0.025, 0.025])
    assert seen == [(r, r) for r in rates]


def test_solve_goes_on_to_max_iter_and_no_further():
    solver = make("max_iter: 5 snapshot_after_train: false")
    solver.step(3)
    solver.solve()
    assert solver.iter == 5
    solver.solve()
    assert solver.iter == 5


def test_callbacks_and_apply_update():
    solver = make()
    called = []
    solver.add_callback(lambda: called.append("start"), lambda: called.append("ready"))
    solver.step(2)
    assert called == ["start", "ready", "start", "ready"]
    before = values(solver)
    solver = make(base=SOLVER.replace("momentum: 0.9", ""))
    solver.net.clear_param_diffs()
    before = values(solver)
    solver.apply_update()
    assert solver.iter == 1
    for a, b in zip(before, values(solver), strict=True):
        np.testing.assert_array_equal(a, b)


def test_stop_and_snapshot_on_request():
    solver = make("max_iter: 10 snapshot_after_train: false snapshot_prefix: 'snap'")
    events = record(solver)

    def ask(event):
        if isinstance(event, progress.Iteration) and event.iteration == 1:
            solver.request_snapshot()
        if isinstance(event, progress.Iteration) and event.iteration == 3:
            solver.request_stop()

    solver.add_listener(ask)
    solver.solve()
    assert solver.iter == 4
    assert events[-1] == progress.Finished(4, True)
    assert Path("snap_iter_2.solverstate").exists()
    solver.solve()  # the request is spent
    assert solver.iter == 10


def test_stop_during_a_test():
    solver = make("max_iter: 10 test_iter: 1000000 test_interval: 5 snapshot_prefix: 'snap'")
    events = record(solver)
    solver.add_listener(
        lambda e: solver.request_stop() if isinstance(e, progress.Testing) else None
    )
    solver.solve()
    assert solver.iter == 0
    assert not [e for e in events if isinstance(e, progress.Tested)]


def test_a_loss_that_is_no_number_is_told_once():
    solver = make()
    solver.net.blobs["x"].data[...] = np.nan
    events = record(solver)
    solver.step(3)
    (warned,) = [e for e in events if isinstance(e, progress.Warned)]
    assert warned.text.startswith("the loss of iteration 0 is nan")


# the seed's rule: shared params with a rate for each use


SHARED = """
layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 } } }
layer { name: "target" type: "Input" top: "y" input_param { shape { dim: 4 dim: 3 } } }
layer { name: "one" type: "InnerProduct" bottom: "x" top: "one" param { name: "w" lr_mult: 1 }
  inner_product_param { num_output: 3 bias_term: false weight_filler { type: "gaussian" std: 1 } } }
layer { name: "two" type: "InnerProduct" bottom: "one" top: "two" param { name: "w" lr_mult: 4 }
  inner_product_param { num_output: 3 bias_term: false weight_filler { type: "gaussian" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "two" bottom: "y" top: "loss" }
"""


def test_shared_param_with_a_rate_for_each_use():
    solver = make(text=SHARED, base=SOLVER.replace("momentum: 0.9", ""))
    x, y = solver.net.blobs["x"].data, solver.net.blobs["y"].data
    w = solver.net.learned[0].data.astype(float)
    one = x @ w.T
    dtwo = (one @ w.T - y) / 4
    expected = w - 0.1 * (1 * (dtwo @ w).T @ x + 4 * dtwo.T @ one)
    solver.step(1)
    np.testing.assert_allclose(solver.net.learned[0].data, expected, rtol=1e-4, atol=1e-5)


# nets, weights, files


def test_train_and_test_states_choose_layers():
    text = NET + (
        'layer { name: "quiet" type: "Silence" bottom: "y" include { stage: "a" stage: "b" } }\n'
        'layer { name: "deep" type: "Power" bottom: "ip" top: "deep" include { min_level: 2 } }\n'
        'state { stage: "a" }'
    )
    solver = make(
        "test_iter: 1 test_interval: 9 train_state { stage: 'b' } test_state { level: 2 }", text
    )
    assert "quiet" in [layer.name for layer in solver.net.layers]
    assert "deep" not in solver.net.blobs
    (tested,) = solver.test_nets
    assert "quiet" not in [layer.name for layer in tested.layers]
    assert {"deep", "error"} <= set(tested.blobs)


def test_net_inside_the_solver_and_several_test_nets(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "test.prototxt").write_text(NET.replace('"error"', '"other"'))
    solver_file = folder / "solver.prototxt"
    solver_file.write_text(
        SOLVER
        + f"net_param {{ {NET} }} test_net: 'test.prototxt' test_iter: 2 test_iter: 3"
        + " test_interval: 5"
    )
    solver = Solver.from_file(solver_file)
    fill(solver)
    assert [sorted(n.outputs) for n in solver.test_nets] == [["loss", "other"], ["error", "loss"]]
    assert solver.test(1).outputs[0].name == "error"
    assert solver.prefix == folder / "solver"


def test_prefix_that_is_a_folder(tmp_path):
    (tmp_path / "there").mkdir()
    assert make("snapshot_prefix: 'there'").prefix == Path("there/solver")
    assert make("snapshot_prefix: 'new/'").prefix == Path("new/solver")
    assert make("snapshot_prefix: 'new/x'").prefix == Path("new/x")
    assert make("").prefix == Path("solver")


def test_weights_to_start_from(tmp_path):
    first = make()
    first.step(3)
    first.net.save("a.caffemodel")
    second = make("weights: 'nothing, a.caffemodel'", weights=["a.caffemodel"])
    for a, b in zip(values(first), values(second), strict=True):
        np.testing.assert_array_equal(a, b)
    third = make("weights: 'a.caffemodel,a.caffemodel'")
    assert [path.name for path, _ in third.copied] == ["a.caffemodel"] * 2


def test_threads_do_not_change_the_seed():
    assert make("").seed == 3
    assert make("", seed=9).seed == 9
    unseeded = SOLVER.replace("random_seed: 3", "")
    assert make("", base=unseeded).seed != make("", base=unseeded).seed


BAD = {
    "no net": ("", "N402", "the solver names no net to train"),
    "two nets": ("net: 'a' train_net: 'b'", "N402", "`net` and `train_net`"),
    "missing net": ("net: 'nowhere.prototxt'", "N401", "there is no net `nowhere.prototxt`"),
    "test_iter": ("net: 'm' test_net: 'm' test_interval: 1", "N403", "1 test nets and 0 test_iter"),
    "interval": ("net: 'm' test_iter: 1", "N403", "`test_interval` is missing"),
    "states": (
        "net: 'm' test_iter: 1 test_interval: 1 test_state {} test_state {}",
        "N403",
        "2 test_state",
    ),
    "train only": ("train_net: 'm' test_iter: 1 test_interval: 1", "N403", "0 test nets"),
    "type": ("net: 'm' type: 'Adamm'", "N401", "`type` is no solver: `Adamm`"),
    "policy": ("net: 'm' lr_policy: 'setp'", "N401", "`lr_policy` is no policy: `setp`"),
    "stepsize": ("net: 'm' lr_policy: 'step' gamma: 1", "N401", "`stepsize` is missing"),
    "adagrad": ("net: 'm' type: 'AdaGrad'", "N401", "`momentum` must be 0 for AdaGrad"),
    "decay": ("net: 'm' regularization_type: 'L3'", "N401", "must be L1 or L2, is `L3`"),
    "iter_size": ("net: 'm' iter_size: 0", "N401", "`iter_size` must be at least 1"),
    "display": ("net: 'm' display: -1", "N401", "`display` must be at least 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_mistakes_have_a_place(case):
    extra, code, words = BAD[case]
    Path("m").write_text(NET)
    again = [word for word in ("type", "lr_policy") if f"{word}:" in extra]
    base = re.sub(f"({'|'.join(again)}): \\S+ ", "", SOLVER) if again else SOLVER
    Path("solver.prototxt").write_text(f"{base}\n{extra}\n")
    with pytest.raises(NetdefError) as error:
        Solver.from_file("solver.prototxt")
    problem = error.value.report.errors[0]
    assert problem.code == code
    assert words in problem.message
    assert problem.file == "solver.prototxt"


def test_all_mistakes_at_once():
    Path("solver.prototxt").write_text("net: 'm' base_lr: 1 lr_policy: 'step'\niter_size: 0")
    Path("m").write_text(NET)
    with pytest.raises(NetdefError) as error:
        Solver.from_file("solver.prototxt")
    assert [p.message for p in error.value.report.errors] == [
        "`stepsize` is missing, the policy step needs it",
        "`iter_size` must be at least 1, is 0",
    ]
    assert error.value.report.errors[1].line == 2


def test_solve_needs_max_iter():
    with pytest.raises(NetdefError, match="`max_iter` is missing"):
        make("").solve()


def test_settings_that_do_nothing_are_told():
    solver = make("rms_decay: 0.9 stepsize: 4 solver_mode: GPU snapshot_diff: true")
    assert [(p.code, p.severity.value) for p in solver.report] == [
        ("N404", "warning"),
        ("N404", "warning"),
        ("N405", "note"),
        ("N406", "warning"),
    ]
    assert not list(make("solver_mode: CPU").report)


def test_a_folder_can_be_moved_as_a_whole(tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(GOLDEN / "sgd_plain", folder)
    assert Solver.from_file(folder / "solver.prototxt").net.name == "tiny"
