"""plateau, early_stopping, keep_best and max_time: what follows from how a training goes."""

from pathlib import Path

import numpy as np
import pytest

from netdef.diag import NetdefError, Report
from netdef.run import progress
from netdef.run.solver import Solver
from netdef.run.watch import Watch
from netdef.schema import SolverParameter
from netdef.schema.document import net_from_text, solver_from_text

# `step` is how good the net is: its test loss is (level - 1)² / 2, and training moves level by 1
# an iteration, so that it is best at iteration 1 and worse ever after.
NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 1 } } }
layer { name: "y" type: "Input" top: "y" input_param { shape { dim: 1 dim: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 1 bias_term: false } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
layer { name: "twice" type: "Power" bottom: "loss" top: "twice" power_param { scale: 2 }
  include { phase: TEST } }
layer { name: "wide" type: "Concat" bottom: "x" bottom: "y" top: "wide" include { phase: TEST } }
"""
TESTED = "test_iter: 1 test_interval: 1 "


def make(extra, base="base_lr: 1 lr_policy: 'fixed' type: 'SGD' "):
    report = Report()
    text = base + "max_iter: 12 snapshot_prefix: 'run/s' " + extra
    document = solver_from_text(text, "solver.prototxt", report)
    net = net_from_text(NET, "model.prototxt", report)
    report.raise_if_errors()
    solver = Solver(document, model=net, threads=1, seed=1)
    for each in (solver.net, *solver.test_nets):
        each.blobs["x"].data[...] = 1
    for test in solver.test_nets:
        test.blobs["y"].data[...] = 1

    def push():
        solver.net.blobs["y"].data[...] = solver.net.learned[0].data[0, 0] + 1

    solver.add_callback(on_start=push)
    return solver


def record(solver):
    events = []
    solver.add_listener(events.append)
    return events


def rates(events):
    return [e.lr for e in events if isinstance(e, progress.Iteration)]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_plateau_lowers_the_rate_when_patience_is_over():
    solver = make(TESTED + "gamma: 0.5 patience: 3 min_lr: 0.2", "base_lr: 1 lr_policy: 'plateau' ")
    events = record(solver)
    solver.solve()
    # Iteration 0 is tested at 0.5, 1 at 0; those of 2, 3 and 4 are no better.
    assert rates(events) == pytest.approx([1] * 4 + [0.5] * 3 + [0.25] * 3 + [0.2] * 2)
    warned = [e.text for e in events if isinstance(e, progress.Warned)]
    assert warned[0] == ("the loss of the test net got no better than 0: the rate falls to 0.5")


def test_plateau_goes_on_where_it_stood():
    settings = TESTED + "gamma: 0.5 patience: 3"
    base = "base_lr: 1 lr_policy: 'plateau' "
    whole = make(settings, base)
    events = record(whole)
    whole.step(12)
    first = make(settings, base)
    first.step(6)
    second = make(settings, base)
    second.restore(first.snapshot())
    later = record(second)
    second.step(6)
    assert rates(later) == rates(events)[6:]
    np.testing.assert_array_equal(second.net.learned[0].data, whole.net.learned[0].data)


def test_early_stopping():
    solver = make(TESTED + "early_stopping: 4")
    events = record(solver)
    solver.solve()
    assert solver.iter == 5
    assert events[-1] == progress.Finished(
        5, True, "the loss of the test net got no better than 0 in 4 looks"
    )
    assert Path("run/s_iter_5.solverstate").exists()


def test_without_tests_the_training_loss_is_watched():
    solver = make("early_stopping: 2 monitor_interval: 3")  # it is 0.5 always
    events = record(solver)
    solver.solve()
    assert solver.iter == 9
    assert events[-1].reason == "the training loss got no better than 0.5 in 2 looks"


def test_a_stop_after_resuming_comes_when_it_would_have_come():
    first = make("early_stopping: 2 monitor_interval: 3")
    first.step(5)
    second = make("early_stopping: 2 monitor_interval: 3")
    second.restore(first.snapshot())
    second.solve()
    assert second.iter == 9


def test_keep_best():
    solver = make(TESTED + "keep_best: true keep_last: 1 snapshot: 4")
    events = record(solver)
    solver.solve()
    names = sorted(path.name for path in Path("run").iterdir())
    assert names == [
        "s_best_iter_1.caffemodel",
        "s_best_iter_1.solverstate",
        "s_iter_12.caffemodel",
        "s_iter_12.solverstate",
    ]
    written = [e.state.name for e in events if isinstance(e, progress.Snapshotted)]
    assert written[:3] == [
        "s_best_iter_0.solverstate",
        "s_best_iter_1.solverstate",
        "s_iter_4.solverstate",
    ]
    again = make(TESTED + "keep_best: true")
    seen = record(again)
    again.restore("run/s_best_iter_1.solverstate")
    again.step(3)
    # The test of iteration 1 was made before the snapshot, and is not made twice.
    assert [e.iteration for e in seen if isinstance(e, progress.Tested)] == [2, 3]
    assert not [e for e in seen if isinstance(e, progress.Snapshotted)]


def test_a_monitor_by_name():
    solver = make(TESTED + "early_stopping: 3 monitor: 'twice' monitor_mode: MAX")
    solver.step(6)  # 1, 0, 1, 4, 9, …
    assert solver.iter == 6
    solver = make(TESTED + "early_stopping: 3 monitor: 'twice'")
    solver.step(6)
    assert solver.iter == 4


@pytest.mark.parametrize(
    ("extra", "words", "help"),
    [
        (TESTED + "keep_best: true monitor: 'twic'", "no output of the test net", "twice"),
        (TESTED + "keep_best: true monitor: 'wide'", "must be one number, `wide` has 2", ""),
        ("keep_best: true monitor: 'loss'", "needs a test net", "test_iter"),
    ],
)
def test_monitors_that_cannot_be(extra, words, help):
    with pytest.raises(NetdefError) as error:
        make(extra)
    problem = error.value.report.errors[0]
    assert problem.code == "N401"
    assert words in problem.message
    assert help in problem.help
    assert problem.line == 1


def test_max_time():
    solver = make("max_time: 0")
    events = record(solver)
    solver.solve()
    assert events[-1] == progress.Finished(1, True, "max_time, 0 seconds, is over")
    assert Path("run/s_iter_1.solverstate").exists()
    solver.step(3)  # it is about solve, as max_iter is
    assert solver.iter == 4


def verdicts(values, **settings):
    watch = Watch(SolverParameter(lr_policy="fixed", **settings), ())
    return [watch.look(value).best for value in values]


def test_what_counts_as_better():
    nan, inf = float("nan"), float("inf")
    assert verdicts([nan, 3, 3, 2, nan, -inf, 1], keep_best=True) == [0, 1, 0, 1, 0, 0, 1]
    assert verdicts([3, 2.75, 2.25], keep_best=True, min_delta=0.5) == [1, 0, 1]
    larger = {"keep_best": True, "monitor_mode": SolverParameter.MAX}
    assert verdicts([0.5, 0.25, 0.75], **larger) == [1, 0, 1]


def test_settings_of_watching_that_nothing_reads_are_told():
    solver = make("monitor: 'loss' patience: 3 epsilon_mode: PAPER warmup_start_lr: 0.1")
    assert [p.message for p in solver.report] == [
        "`epsilon_mode` is not used by the rule SGD",
        "`patience` is not used by the policy fixed",
        "`monitor` is not used by a training without plateau, early_stopping and keep_best",
        "`warmup_start_lr` is not used by a training without warmup_iter",
    ]


def test_what_caffe_takes_and_nobody_means_is_a_warning_with_a_place():
    solver = make("", "base_lr: 1 lr_policy: 'step' stepsize: 5 type: 'Adam' ")
    found = [(p.code, p.severity.value, p.column, p.help) for p in solver.report]
    assert found == [
        ("N407", "warning", 23, "write a factor: `gamma: 0.1`"),
        ("N407", "warning", 48, "write `momentum: 0.9`, the usual beta1"),
    ]
