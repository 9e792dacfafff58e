"""Looking changes nothing, and the figures are those of the arrays."""

from __future__ import annotations

import numpy as np
import pytest

import netdef
from netdef.doctor.examine import examine
from netdef.doctor.probe import Probe
from netdef.doctor.spread import Spread


def load(nets, name="healthy/residual", **others):
    model = nets / f"{name}.prototxt"
    own = model.with_suffix(".solver.prototxt")
    solver = own if own.exists() else nets / "solver.prototxt"
    return netdef.load_solver(solver, model=model, **others)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_observed_net_computes_the_same(nets, threads):
    plain, observed = load(nets, threads=threads), load(nets, threads=threads, keep="outputs")
    observed.net.observer = Probe(observed.net)

    plain.step(3)
    observed.step(3)

    for one, other in zip(plain.net.learned, observed.net.learned, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_a_solver_stands_afterwards_where_it_stood(nets):
    plain, looked_at = load(nets, threads=1), load(nets, threads=1)
    plain.step(2)
    looked_at.step(2)

    examine(looked_at, 5)

    assert looked_at.iter == 2
    plain.step(3)
    looked_at.step(3)
    for one, other in zip(plain.net.learned, looked_at.net.learned, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_figures_are_those_of_the_arrays(nets):
    solver = load(nets, "healthy/mlp", threads=2)
    weights = solver.net.params["ip1"][0]
    start = weights.data.copy()

    figures = examine(solver, 1, labels=False)
    solver.net.forward()
    solver.net.backward()
    ip1 = next(b for b in figures.blobs if b.layer == "ip1")
    relu1 = next(b for b in figures.blobs if b.layer == "relu1")
    param = next(p for p in figures.params if p.layer == "ip1" and p.role == "weight")

    assert param.data.std == pytest.approx(start.std(), rel=1e-5)
    assert param.gradient.rms == pytest.approx(np.sqrt(np.mean(weights.diff**2)), rel=1e-4)
    # the ReLU is in place: what it reads is gone from the blob, not from the figures
    assert ip1.data.least < 0
    assert relu1.data.least == 0
    assert relu1.data.mean == pytest.approx(solver.net.blobs["ip1"].data.mean(), rel=1e-5)
    dead = int(np.sum(~(solver.net.blobs["ip1"].data > 0).any(axis=0)))
    assert relu1.dead == dead
    assert figures.chance.value == pytest.approx(np.log(10))
    assert figures.losses[0] == pytest.approx(solver.net.loss)


def test_update_is_measured_beside_the_weights(nets):
    solver = load(nets, "healthy/mlp")
    weights = solver.net.params["ip2"][0].data
    before = weights.copy()

    figures = examine(solver, 1, labels=False)
    np.testing.assert_array_equal(weights, before)
    solver.step(1)

    ratio = np.linalg.norm(weights - before) / np.linalg.norm(before)
    param = next(p for p in figures.params if p.layer == "ip2" and p.role == "weight")
    assert param.ratios[0] == pytest.approx(ratio, rel=1e-4)


def test_where_it_stops_being_finite(nets):
    found = examine(load(nets, "broken/not_finite")).poison

    assert (found.iteration, found.way, found.layer, found.blob) == (0, "forward", "log", "log")
    assert found.value == -np.inf
    assert found.span.text == '"log"'
    solver = load(nets, "broken/not_finite")
    solver.net.forward()
    assert not np.isfinite(solver.net.blobs["log"].data[found.index])


def test_spread_of_tiny_and_of_broken_values():
    spread = Spread()
    spread.take(np.array([1e-30, -1e-30, np.nan, np.inf], np.float32))

    assert spread.count == 2
    assert spread.broken == 2
    assert spread.std == pytest.approx(1e-30, rel=1e-6)
