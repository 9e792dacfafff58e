"""models/three_conv: the geometry that makes 2432 inputs, and a task it can learn."""

from __future__ import annotations

import numpy as np

import netdef

MODEL = "models/three_conv/model.prototxt"


def test_shapes(tree):
    net = netdef.load(MODEL)
    shapes = {name: blob.data.shape for name, blob in net.blobs.items()}
    assert shapes["data"] == (32, 1, 1, 256)
    assert shapes["label"] == (32,)
    assert shapes["conv_layer1"] == (32, 32, 1, 241)
    assert shapes["pool1"] == (32, 32, 1, 121)
    assert shapes["conv_layer2"] == (32, 64, 1, 106)
    assert shapes["pool2"] == (32, 64, 1, 53)
    assert shapes["conv_layer3"] == (32, 64, 1, 38)
    assert net.params["NN1"][0].data.shape == (512, 2432)
    assert net.params["NN2"][0].data.shape == (2, 512)


def test_learns_with_adam(tree):
    solver = netdef.load_solver("models/three_conv/solver.prototxt")
    losses = []
    for _ in range(120):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))

    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
