"""Every recorded case of Caffe: tops, moved statistics and gradients agree.

The files and their keys are described in tests/golden/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

import netdef
from netdef import layers
from netdef.layers.base import Array
from tests.plan.test_meaning import without
from tests.run.forked import needs_processes, processes_everywhere, works_apart

FOLDER = Path(__file__).parents[1] / "golden" / "layers"
NAMES = sorted(path.stem for path in FOLDER.glob("*.prototxt"))

# What may be chosen about how a net runs; none of it may change what it computes.
CHOICES = {
    "one thread": ({"threads": 1}, {}),
    "two threads": ({"threads": 2}, {}),
    "three threads": ({"threads": 3}, {}),
    "exact": ({"threads": 2, "exact": True}, {}),
    "nothing fused": ({"threads": 1}, {"fuse": False}),
    "nothing in place": ({"threads": 1}, {"in_place": False}),
}

# These sum in another order than Caffe, or divide by what they have summed.
LOOSE = {"LRN", "MVN", "BatchNorm", "LSTM", "RNN"}


def text(name: str) -> str:
    return (FOLDER / f"{name}.prototxt").read_text("utf-8")


def types(name: str) -> set[str]:
    """The layer types of a net."""
    return set(re.findall(r'layer \{[^{}]*?\btype: "(\w+)"', text(name)))


def ran_backward(name: str) -> bool:
    """Whether Caffe ran backward at all: without a loss it does so only where it is forced."""
    lost = any(kind.endswith("Loss") for kind in types(name))
    return lost or "force_backward: true" in text(name)


def phase(name: str) -> str:
    found = re.match(r"# phase: (TRAIN|TEST)\n", text(name))
    assert found is not None, f"{name} does not name its phase"
    return found[1].lower()


def recorded(arrays: Mapping[str, Array], kind: str) -> Iterator[tuple[str, Array]]:
    """The arrays of one kind, by the rest of their key."""
    for key, value in arrays.items():
        if key.startswith(f"{kind}:"):
            yield key.removeprefix(f"{kind}:"), value


def param(net: netdef.Net, key: str) -> Array:
    layer, _, index = key.rpartition(":")
    return net.params[layer][int(index)]


def test_all_types_are_known():
    known = {t for name in NAMES for t in types(name)}
    assert {t for t in known if layers.find(t) is None} == set()


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_caffe(name, choice, monkeypatch):
    of_net, of_plan = CHOICES[choice]
    without(monkeypatch, **of_plan)
    agrees_with_caffe(name, **of_net)


@needs_processes
@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_caffe_in_processes(name, threads):
    with processes_everywhere() as teams:
        net = agrees_with_caffe(name, threads=threads)
        assert len(teams) == works_apart(net)


def agrees_with_caffe(name, **of_net):
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    tolerance = 1e-4 if types(name) & LOOSE else 1e-5
    net = netdef.load(FOLDER / f"{name}.prototxt", phase=phase(name), **of_net)
    compared = 0

    def agree(what: str, actual: Array, expected: Array) -> None:
        nonlocal compared
        compared += 1
        assert actual.shape == expected.shape, f"{what} has shape {actual.shape}"
        scale = max(1e-6, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(
            actual, expected, rtol=0, atol=tolerance * scale, err_msg=f"{name}: {what}"
        )

    for key, value in recorded(arrays, "param"):
        param(net, key).data[...] = value
    net.forward(**dict(recorded(arrays, "in")))
    for blob, value in recorded(arrays, "top"):
        agree(f"top {blob}", net.blobs[blob].data, value)
    for key, value in recorded(arrays, "after"):
        agree(f"param {key} after forward", param(net, key).data, value)
    assert compared
    gradients = [key for key in arrays if key.startswith(("diff:", "pdiff:"))]
    if not ran_backward(name):
        # netdef starts from any blob it is given a gradient of, so there is nothing to compare
        assert not any(arrays[key].any() for key in gradients)
        return net
    if gradients:
        net.clear_param_diffs()
        net.backward(**dict(recorded(arrays, "topdiff")))
    for blob, value in recorded(arrays, "diff"):
        agree(f"gradient of {blob}", net.blobs[blob].diff, value)
    for key, value in recorded(arrays, "pdiff"):
        agree(f"gradient of param {key}", param(net, key).diff, value)
    return net
