"""models/signal: what the answer found with histograms, found by netdef alone."""

from __future__ import annotations

import numpy as np
import pytest

import netdef
from netdef.api.diagnosing import fixed


def solver_of(nets, name):
    folder = nets / "signal"
    return netdef.load_solver(folder / "solver.prototxt", model=folder / f"{name}.prototxt")


def spread_of_first_gradient(diagnosis):
    return next(p for p in diagnosis.figures.params if p.layer == "O").gradient.std


@pytest.mark.parametrize("name", ["one_hidden", "two_hidden_xavier"])
def test_nothing_is_wrong_with_those_that_learn(nets, name):
    assert netdef.diagnose(solver_of(nets, name)).healthy


def test_gradients_of_the_first_layer_have_the_spread_that_the_answer_shows(nets):
    one = netdef.diagnose(solver_of(nets, "one_hidden"), 1000)
    two = netdef.diagnose(solver_of(nets, "two_hidden"), 1000)

    assert 0.0005 < spread_of_first_gradient(one) < 0.01  # about 0.005 in the answer
    assert 0.0000005 < spread_of_first_gradient(two) < 0.00001  # about 0.000002
    assert spread_of_first_gradient(one) > 300 * spread_of_first_gradient(two)


def test_the_fillers_are_named_and_the_cure(nets):
    (found,) = netdef.diagnose(solver_of(nets, "two_hidden")).findings

    assert found.code == "N803"
    assert "`W`, `W1` and `W2` start with gaussian std 0.001" in found.message
    assert "times smaller" in found.message
    assert "xavier" in found.help
    assert [found.line, *(label.span.begin.line for label in found.labels)] == [21, 40, 59]


def test_the_cured_net_moves_and_has_no_finding(nets, tmp_path):
    (changed,) = fixed(netdef.diagnose(solver_of(nets, "two_hidden")).findings)
    cured = tmp_path / "cured.prototxt"
    cured.write_bytes(changed.after)
    solver = netdef.load_solver(nets / "signal" / "solver.prototxt", model=cured)
    ill = solver_of(nets, "two_hidden")

    assert netdef.diagnose(solver).healthy
    assert moved(solver) > 1e-2
    assert moved(ill) < 1e-4


def moved(solver):
    """Largest change of the first layer's weights in 300 iterations."""
    weights = solver.net.params["O"][0].data
    before = weights.copy()
    solver.step(300)
    return float(np.abs(weights - before).max())
