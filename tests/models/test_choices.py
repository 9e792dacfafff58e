"""The models compute the same whatever is chosen about how they run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netdef
from tests.plan.test_meaning import without
from tests.run.forked import needs_processes, processes_everywhere

MODELS = Path(__file__).parents[2] / "models"

# Of the zoo those that run in a moment; the others are made of the same layers.
NETS = {
    "digits/deploy.prototxt": 3,
    "siamese/deploy.prototxt": 5,
    "zoo/lenet.prototxt": 5,
    "zoo/squeezenet.prototxt": 2,
    "zoo/mobilenet.prototxt": 2,
}
CHOICES = {
    "two threads": ({"threads": 2}, {}),
    "three threads": ({"threads": 3}, {}),
    "exact": ({"threads": 1, "exact": True}, {}),
    "nothing fused": ({"threads": 1}, {"fuse": False}),
    "nothing in place": ({"threads": 1}, {"in_place": False}),
    "memory used again": ({"threads": 1, "keep": "outputs"}, {}),
}

# Winograd's digits, through fifty layers.
TOLERANCE = 2e-4


def outputs(name: str, **choices: object) -> dict[str, np.ndarray]:
    """What a net gives for random inputs, its biases and statistics random too."""
    net = netdef.load(MODELS / name, seed=1, **choices)  # type: ignore[arg-type]
    random = np.random.default_rng(2)
    for param in net.learned:
        if param.role not in ("weight", "running mean"):
            param.data[...] = random.uniform(0.5, 1.5, param.shape)
        elif "siamese" in name:
            param.data[...] = random.standard_normal(param.shape)
    given = {
        blob: random.standard_normal((NETS[name], *net.blobs[blob].shape[1:]))
        for blob in net.inputs
    }
    return {blob: array.copy() for blob, array in net.forward(**given).items()}


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, np.ndarray]]:
    return {name: outputs(name, threads=1) for name in NETS}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", NETS)
def test_computes_the_same(name, choice, plain, monkeypatch):
    of_net, of_plan = CHOICES[choice]
    without(monkeypatch, **of_plan)
    assert_same(outputs(name, **of_net), plain[name])


@needs_processes
@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("name", NETS)
def test_computes_the_same_in_processes(name, threads, plain):
    with processes_everywhere() as teams:
        found = outputs(name, threads=threads)
        assert len(teams) == 1
    assert_same(found, plain[name])


def assert_same(found: dict[str, np.ndarray], plain: dict[str, np.ndarray]) -> None:
    for blob, expected in plain.items():
        assert np.isfinite(expected).all()
        scale = float(np.abs(expected).max())
        assert scale > 0
        np.testing.assert_allclose(found[blob], expected, rtol=0, atol=TOLERANCE * scale)
