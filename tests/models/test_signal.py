"""models/signal: what the start of the weights does to a deeper net."""

from __future__ import annotations

import numpy as np
import pytest

import netdef


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("one_hidden", 0, 0.01),
        ("two_hidden", 0.28, 0.38),  # 1/3 is the loss of a constant 0
        ("two_hidden_xavier", 0, 0.001),
    ],
)
def test_loss_at_the_end(tree, name, least, most):
    solver = netdef.load_solver(
        "models/signal/solver.prototxt", model=f"models/signal/{name}.prototxt"
    )
    solver.step(9000)
    distances = []
    for _ in range(1000):
        solver.step(1)
        distances.append(2 * float(solver.net.blobs["distance"].data))  # the layer halves

    assert least <= np.mean(distances) <= most
