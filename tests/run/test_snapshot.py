"""Snapshots: exact, whole or not at all, and clear where they do not fit."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from netdef.diag import NetdefError, Report
from netdef.run import progress
from netdef.run.solver import Solver
from netdef.schema.document import net_from_text, solver_from_text
from netdef.schema.weights import SolverStateData, read_state, write_state

NET = """
layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 4 dim: 5 }} }} }}
layer {{ name: "y" type: "Input" top: "y" input_param {{ shape {{ dim: 4 dim: 2 }} }} }}
layer {{ name: "a" type: "InnerProduct" bottom: "x" top: "a" param {{ lr_mult: 1 }}
  param {{ lr_mult: 0 }}
  inner_product_param {{ num_output: {hidden} weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "drop" type: "Dropout" bottom: "a" top: "a" }}
layer {{ name: "b" type: "InnerProduct" bottom: "a" top: "b"
  inner_product_param {{ num_output: 2 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "y" top: "loss" }}
"""
SOLVER = 'base_lr: 0.1 lr_policy: "multistep" gamma: 0.5 stepvalue: 2 stepvalue: 3 '
TYPES = {
    "SGD": "momentum: 0.9",
    "Adam": "momentum: 0.9",
    "AdaDelta": "momentum: 0.9",
    "AdamW": "weight_decay: 0.1 warmup_iter: 6",
    "AMSGrad": "epsilon_mode: PAPER",
    "Lion": "weight_decay: 0.1",
    "LARS": "trust_coefficient: 0.1",
    "RMSPropMomentum": "momentum: 0.5",
}


def make(extra="type: 'SGD' momentum: 0.9 random_seed: 7", hidden=6, prefix="runs/one/snap"):
    report = Report()
    extra += "" if "max_iter" in extra else " max_iter: 10"
    text = f"{SOLVER} snapshot_prefix: '{prefix}' {extra}"
    document = solver_from_text(text, "solver.prototxt", report)
    net = net_from_text(NET.format(hidden=hidden), "model.prototxt", report)
    report.raise_if_errors()
    solver = Solver(document, model=net, threads=1)

    def feed():
        random = np.random.default_rng(solver.iter)
        for blob in ("x", "y"):
            solver.net.blobs[blob].data[...] = random.normal(size=solver.net.blobs[blob].shape)

    solver.add_callback(on_start=feed)
    return solver


def values(solver):
    return [p.data.copy() for p in solver.net.learned]


def same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("form", ["BINARYPROTO", "HDF5"])
@pytest.mark.parametrize("type_name", TYPES)
def test_resuming_is_exact_to_the_bit(type_name, form):
    settings = f"type: '{type_name}' {TYPES[type_name]} random_seed: 7 snapshot_format: {form}"
    whole = make(settings)
    whole.step(10)

    first = make(settings)
    first.step(4)
    state = first.snapshot()
    assert state == Path(f"runs/one/snap_iter_4.solverstate{'.h5' if form == 'HDF5' else ''}")
    # Another process would begin with other weights and other random numbers.
    second = make(settings.replace("random_seed: 7", "random_seed: 8"))
    second.restore(state)
    assert second.iter == 4
    assert second.lr == first.lr
    second.step(6)
    same(values(whole), values(second))


def test_resuming_without_a_seed_takes_over_the_first_runs():
    first = make("type: 'SGD'")
    first.step(3)
    state = first.snapshot()
    second = make("type: 'SGD'")
    second.restore(state)
    assert second.seed == first.seed
    first.step(3)
    second.step(3)
    same(values(first), values(second))


def test_state_names_its_model_which_may_move(tmp_path):
    first = make()
    first.step(2)
    state = first.snapshot()
    moved = tmp_path / "elsewhere"
    state.parent.rename(moved)
    second = make()
    events = []
    second.add_listener(events.append)
    second.restore(moved / state.name)
    same(values(first), values(second))
    assert events[-1] == progress.Restored(2, moved / "snap_iter_2.caffemodel", moved / state.name)
    (moved / "snap_iter_2.caffemodel").rename(moved / "other.caffemodel")
    with pytest.raises(NetdefError, match="the model of"):
        second.restore(moved / state.name)


def test_snapshot_of_another_net():
    other = make(hidden=7)
    state = other.snapshot()
    solver = make()
    before = values(solver)
    with pytest.raises(NetdefError) as error:
        solver.restore(state)
    problem = error.value.report.errors[0]
    assert problem.code == "N511"
    assert problem.message == f"the weight of layer `a` is 6×5, 7×5 in `{state}`"
    same(before, values(solver))


def test_snapshot_of_another_rule():
    state = make("type: 'Adam'").snapshot()
    with pytest.raises(NetdefError) as error:
        make().restore(state)
    problem = error.value.report.errors[0]
    assert problem.code == "N512"
    assert problem.message == f"`{state}` is of a training with Adam, not SGD"


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [("Adam", "SGD", "has 8 arrays of history, where SGD needs 4"), ("AMSGrad", "SGD", "has 12")],
)
def test_snapshot_of_another_rule_that_is_not_named(one, other, words):
    state = make(f"type: '{one}'").snapshot()
    data = read_state(state)
    write_state(state, SolverStateData(0, data.learned_net, data.history))  # as Caffe would
    with pytest.raises(NetdefError) as error:
        make(f"type: '{other}'").restore(state)
    problem = error.value.report.errors[0]
    assert problem.code == "N512"
    assert words in problem.message


def test_a_model_given_as_a_state():
    solver = make()
    solver.snapshot()
    with pytest.raises(NetdefError, match="--weights"):
        solver.restore("runs/one/snap_iter_0.caffemodel")
    with pytest.raises(NetdefError, match="there is no file"):
        solver.restore("nothing.solverstate")


def test_weights_that_do_not_fit_change_nothing():
    first = make()
    first.step(1)
    state = first.snapshot()
    make(hidden=7, prefix="other").net.save("runs/one/snap_iter_1.caffemodel")
    solver = make()
    before = values(solver)
    with pytest.raises(NetdefError):
        solver.restore(state)
    assert solver.iter == 0
    same(before, values(solver))


READING = """
layer { name: "read" type: "HDF5Data" top: "x" top: "y"
  hdf5_data_param { source: "list.txt" batch_size: 3 shuffle: true } }
layer { name: "noise/a" type: "DummyData" top: "noise"
  dummy_data_param { shape { dim: 3 dim: 2 } data_filler { type: "gaussian" } } }
layer { name: "b" type: "InnerProduct" bottom: "x" top: "b"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "sum" type: "Eltwise" bottom: "b" bottom: "noise" top: "sum" }
layer { name: "loss" type: "EuclideanLoss" bottom: "sum" bottom: "y" top: "loss" }
"""


def reading():
    """A solver whose batches are shuffled rows of a file, and its test scores as they come."""
    h5py = pytest.importorskip("h5py")
    random = np.random.default_rng(2)
    with h5py.File("data.h5", "w") as file:
        file["x"] = random.normal(size=(7, 4)).astype("f")
        file["y"] = random.normal(size=(7, 2)).astype("f")
    Path("list.txt").write_text("data.h5\n")
    Path("model.prototxt").write_text(READING)
    Path("solver.prototxt").write_text(
        "net: 'model.prototxt' base_lr: 0.1 lr_policy: 'fixed' test_iter: 2 test_interval: 2"
    )
    solver = Solver.from_file("solver.prototxt", threads=1)
    scores = []
    solver.add_listener(
        lambda e: (
            scores.append(float(e.outputs[0].values[0])) if isinstance(e, progress.Tested) else None
        )
    )
    return solver, scores


def test_data_goes_on_where_it_stood():
    first, scores = reading()
    first.step(5)
    state = first.snapshot()
    del scores[:]
    second, again = reading()
    second.restore(state)
    first.step(6)
    second.step(6)
    same(values(first), values(second))
    assert scores == again
    assert len(scores) == 3


def test_a_state_without_places_is_told():
    solver, _ = reading()
    events = []
    solver.add_listener(events.append)
    solver.step(1)
    state = solver.snapshot()
    data = read_state(state)
    write_state(state, SolverStateData(1, data.learned_net, data.history))  # as Caffe would
    solver.restore(state)
    (warned,) = [e for e in events if isinstance(e, progress.Warned)]
    assert "does not say where in the data it stood" in warned.text


# what can go wrong while writing


def full_disk(monkeypatch, suffix):
    """Let files of this kind run out of space half way, however they are written."""
    replace = Path.replace

    def refuse(self, target):
        if str(target).endswith(suffix):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)


@pytest.mark.parametrize("suffix", [".caffemodel", ".solverstate"])
def test_full_disk_leaves_the_last_good_snapshot(monkeypatch, suffix):
    solver = make()
    solver.step(2)
    good = solver.snapshot()
    kept = {path: path.read_bytes() for path in Path("runs/one").iterdir()}
    solver.step(2)
    with monkeypatch.context() as disk:
        full_disk(disk, suffix)
        with pytest.raises(NetdefError, match="no space left"):
            solver.snapshot()
    assert {path: path.read_bytes() for path in Path("runs/one").iterdir()} == kept
    other = make()
    other.restore(good)
    assert other.iter == 2


def test_folder_is_tried_before_training_starts():
    Path("runs").write_text("a file where a folder should be")
    solver = make()
    before = values(solver)
    with pytest.raises(NetdefError) as error:
        solver.solve()
    assert error.value.report.errors[0].code == "N510"
    same(before, values(solver))


def test_folder_is_made():
    solver = make("type: 'SGD' max_iter: 2", prefix="a/b/c/snap")
    solver.solve()
    names = sorted(path.name for path in Path("a/b/c").iterdir())
    assert names == ["snap_iter_2.caffemodel", "snap_iter_2.solverstate"]


def test_nothing_is_written_where_no_snapshot_is_wanted():
    solver = make("type: 'SGD' snapshot_after_train: false")
    solver.solve()
    assert not Path("runs").exists()


@pytest.mark.parametrize("form", ["BINARYPROTO", "HDF5"])
def test_a_state_tells_its_solver(form):
    solver = make(f"type: 'Adam' momentum: 0.75 snapshot_format: {form}")
    data = read_state(solver.snapshot())
    assert data.solver is not None
    assert (data.solver.type, data.solver.momentum) == ("Adam", 0.75)
    assert not data.solver.HasField("net_param")


def test_only_the_newest_snapshots_are_kept():
    other = make("type: 'SGD' max_iter: 99", prefix="runs/one/snap")
    other.step(50)
    later = other.snapshot()  # of another run, and not ours to remove
    solver = make("type: 'SGD' snapshot: 2 keep_last: 3")
    solver.solve()
    names = sorted(path.name for path in Path("runs/one").iterdir())
    assert names == sorted(
        f"snap_iter_{n}.{kind}" for n in (6, 8, 10, 50) for kind in ("caffemodel", "solverstate")
    )
    assert later.exists()


def test_what_a_killed_writer_left_is_removed():
    folder = Path("runs/one")
    folder.mkdir(parents=True)
    old, new = folder / ".snap_iter_5.caffemodel.1.tmp", folder / ".snap_iter_5.solverstate.1.tmp"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    make().snapshot()
    assert (old.exists(), new.exists()) == (False, True)


def test_no_second_snapshot_of_one_iteration():
    solver = make("type: 'SGD' snapshot: 5")
    events = []
    solver.add_listener(events.append)
    solver.solve()
    done = [e.iteration for e in events if isinstance(e, progress.Snapshotted)]
    assert done == [5, 10]


def test_weights_of_2014_are_told_as_reshaped():
    solver = make()
    weights = solver.net.weights()
    weights["a"][0] = weights["a"][0].reshape(1, 1, *weights["a"][0].shape)
    copied = solver.net.copy_from(weights)
    assert (copied.matched, copied.reshaped) == (("a", "b"), ("a",))
