"""What goes along with a training: warnings, the stop at NaN, debug_info, overfitting."""

from __future__ import annotations

import numpy as np
import pytest

import netdef
from netdef.api.attending import Extras, attended
from netdef.run import progress
from netdef.run.progress import Detail, Iteration, Output, Warned


def load(nets, name, *settings):
    model = nets / f"{name}.prototxt"
    return netdef.load_solver(nets / "solver.prototxt", model=model, settings=settings, threads=1)


def warnings_of(solver, iterations, **extras):
    found = []
    solver.add_listener(lambda event: found.append(event) if isinstance(event, Warned) else None)
    with attended(solver, Extras(**extras)) as attendance:
        solver.step(iterations)
    return [event.text for event in found], attendance.notes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken/tiny_weights", "times smaller"),
        ("broken/dead_relu", "64 of 64 units"),
        ("broken/exploding_recurrent", "grows at every time step"),
        ("broken/saturated", "at the limits"),
    ],
)
def test_warnings_as_they_arise(nets, name, words):
    texts, notes = warnings_of(load(nets, name), 12, watch=5)

    assert any(words in text for text in texts)
    assert len(set(texts)) == len(texts)  # each once
    assert notes[-1].startswith("watching took")


def test_a_healthy_net_gets_no_warning(nets):
    assert warnings_of(load(nets, "healthy/mlp"), 60, watch=10)[0] == []


def test_nan_stops_before_a_snapshot_holds_it(nets, tmp_path):
    solver = load(
        nets, "healthy/mlp", "base_lr=1e30", "snapshot=1", f"snapshot_prefix={tmp_path}/x"
    )
    with pytest.raises(netdef.NetdefError) as error, attended(solver, Extras(watch=100)):
        solver.step(50)

    (problem,) = error.value.report.problems
    assert problem.code == "N801"
    assert problem.span is not None
    assert "in iteration" in problem.message
    snapshots = sorted(tmp_path.glob("*.caffemodel"))
    assert len(snapshots) == solver.iter or len(snapshots) == solver.iter - 1
    for path in snapshots:
        net = load(nets, "healthy/mlp").net
        net.copy_from(path)
        assert all(np.isfinite(p.data).all() for p in net.learned)
    assert all(np.isfinite(p.data).all() for p in solver.net.learned)


def test_watching_changes_nothing(nets):
    plain, watched = load(nets, "healthy/mlp"), load(nets, "healthy/mlp")
    plain.step(7)
    with attended(watched, Extras(watch=3)):
        watched.step(7)

    for one, other in zip(plain.net.learned, watched.net.learned, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_a_plateau_is_told(nets):
    texts, _ = warnings_of(load(nets, "broken/softmax_twice", "base_lr=1e-6"), 160, watch=50)

    assert [text for text in texts if "the loss has stood at" in text]


def test_overfitting_is_told(nets):
    solver = load(nets, "healthy/mlp")
    found = []
    solver.add_listener(lambda event: found.append(event) if isinstance(event, Warned) else None)
    with attended(solver, Extras(watch=100)):
        solver.step(20)
        for number, loss in enumerate((0.5, 0.9, 4.0, 5.0, 6.0)):
            output = Output("loss", np.array([loss]), 1.0)
            solver.tell(progress.Tested(number, 0, (output,), None, 0.1))

    assert ["by heart" in event.text for event in found] == [True]


def test_debug_info_prints_mean_sizes_as_caffe_does(nets):
    solver = load(nets, "healthy/mlp", "debug_info=true", "display=2")
    lines = []
    solver.add_listener(lambda e: lines.append(e.text) if isinstance(e, Detail) else None)
    with attended(solver, Extras()):
        solver.step(1)
        mean = float(np.abs(solver.net.params["ip1"][0].diff).mean())
        loss = float(solver.net.blobs["loss"].data)
        count = len(lines)
        solver.step(1)

    assert len(lines) == count  # only where `display` asks for it
    assert f"    [Forward] Layer loss, top blob loss data: {loss:.6g}" in lines
    assert f"    [Backward] Layer ip1, param blob 0 diff: {mean:.6g}" in lines
    assert any(line.startswith("    [Backward] All net params (data, diff): L1") for line in lines)
    update = next(line for line in lines if "[Update] Layer ip1, param 0 data:" in line)
    assert update.endswith(f"diff: {mean:.6g}")


def test_a_few_batches_are_learned_by_heart(nets):
    solver = load(nets, "healthy/mlp", "base_lr=0.1")
    losses = []
    solver.add_listener(lambda e: losses.append(e.loss) if isinstance(e, Iteration) else None)
    with attended(solver, Extras(overfit=2)) as attendance:
        solver.step(120)

    assert losses[-1] < 0.05
    assert "2 batches by heart" in attendance.notes[0]
    texts = warnings_of(load(nets, "broken/zero_weights"), 30, overfit=1)[1]
    assert "does not learn one batch" in texts[0]


def test_a_dry_run_writes_nothing(nets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solver = load(nets, "healthy/mlp", "snapshot=1", f"snapshot_prefix={tmp_path}/x")
    with attended(solver, Extras(dry_run=True)):
        solver.solve()

    assert solver.iter == 1
    assert list(tmp_path.iterdir()) == []
