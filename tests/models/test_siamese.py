"""models/siamese: one set of weights in two branches, and what its training version learns."""

from __future__ import annotations

import numpy as np
import pytest

import netdef

TRAIN = "models/siamese/train.prototxt"
DEPLOY = "models/siamese/deploy.prototxt"


@pytest.fixture(scope="module")
def weights(prepared):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(prepared)
        netdef.load_solver("models/siamese/solver.prototxt").solve()
    return prepared / "models/siamese/snapshots/siamese_iter_2000.caffemodel"


def test_branches_share_their_arrays(tree):
    net = netdef.load(DEPLOY)
    for a, b in zip(net.params["ip1_a"], net.params["ip1_b"], strict=True):
        a.data[...] = 7
        assert np.array_equal(b.data, np.full_like(a.data, 7))


def test_equal_images_get_equal_codes(weights, tree):
    net = netdef.load(DEPLOY, str(weights))
    image = np.random.default_rng(0).random((64, 1, 8, 8), np.float32)
    net.forward(data_a=image, data_b=image)
    assert np.any(net.blobs["ip1_a"].data)
    assert np.array_equal(net.blobs["ip1_a"].data, net.blobs["ip1_b"].data)


def test_learns_to_tell_pairs(weights, tree):
    net = netdef.load(TRAIN, str(weights), phase="test")
    scores = [net.forward() for _ in range(10)]
    assert np.mean([score["accuracy"] for score in scores]) > 0.8
    assert np.mean([score["distance"] for score in scores]) < 0.08


def test_trained_weights_fit_deploy(weights, tree):
    trained = netdef.load(TRAIN, str(weights), phase="test")
    deploy = netdef.load(DEPLOY, str(weights))
    for layer in ("ip1_a", "ip1_b", "joint_ip"):
        for ours, theirs in zip(deploy.params[layer], trained.params[layer], strict=True):
            assert np.array_equal(ours.data, theirs.data)
