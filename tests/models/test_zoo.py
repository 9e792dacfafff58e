"""models/zoo: published nets have their published sizes, and run."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
import pytest

import netdef
from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import read_net

ZOO = Path(__file__).resolve().parents[2] / "models/zoo"

# Learned values, without BatchNorm's statistics; shape of the only output.
NETS = {
    "lenet": (431_080, (1, 10)),
    "caffenet": (60_965_224, (1, 1000)),
    "googlenet": (6_998_552, (1, 1000)),
    "vgg16": (138_357_544, (1, 1000)),
    "resnet50": (25_557_032, (1, 1000)),
    "squeezenet": (1_235_496, (1, 1000, 1, 1)),
    "mobilenet": (4_231_976, (1, 1000, 1, 1)),
    "fcn8s": (134_489_759, (1, 21, 500, 500)),
    "captioner": (37_618_801, (1, 1, 8801)),
}
# Half a gigabyte of weights each.
LARGE = ("vgg16", "fcn8s")
CLASSIFIERS = ("lenet", "googlenet", "resnet50", "squeezenet", "mobilenet")


def compiled(name, phase=Phase.TEST, **shapes):
    report = Report()
    document = read_net(ZOO / f"{name}.prototxt", report)
    net = compile_net(document, State(phase), report, input_shapes=shapes or None)
    assert list(report) == []
    return net


def loaded(name):
    """The net with random weights that keep values of a size: there is no filler in it."""
    net = netdef.load(ZOO / f"{name}.prototxt", keep="outputs", threads=2)
    rng = np.random.default_rng(7)
    types = {layer.name: layer.type for layer in net.layers}
    for layer, blobs in net.params.items():
        arrays = [blob.data for blob in blobs]
        if types[layer] == "BatchNorm":
            mean, variance, factor = arrays
            factor[...] = 4  # what is stored is four times what it says
            mean[...] = factor * rng.uniform(-0.5, 0.5, mean.shape)
            variance[...] = factor * rng.uniform(0.5, 2, variance.shape)
        elif types[layer] == "Scale":
            # What a residual block adds is less than what it adds to.
            arrays[0][...] = 0.2 if layer.endswith("branch2c") else 1
        else:
            for array in arrays:
                fan_in = prod(array.shape[1:])
                array[...] = rng.random(array.shape, np.float32) - 0.5
                array *= np.sqrt(24 / fan_in) if array.ndim > 1 else 0.1
    return net


def assert_probabilities(prob, axis):
    assert np.all(np.isfinite(prob))
    assert np.all(prob >= 0)
    assert np.allclose(prob.sum(axis=axis), 1, atol=1e-4)
    assert prob.max() > 2 * prob.mean()  # it says something


def test_the_table_names_every_net():
    assert {path.stem for path in ZOO.glob("*.prototxt")} == set(NETS)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("phase", Phase)
def test_compiles_with_its_published_size(name, phase):
    net = compiled(name, phase)

    learned = [p for p in net.params if net.nodes[p.owner.node].type != "BatchNorm"]
    params, shape = NETS[name]
    assert sum(prod(param.shape) for param in learned) == params
    (output,) = net.outputs
    assert output == ("score" if name == "fcn8s" else "prob")
    assert [blob.shape for blob in net.blobs if blob.name == output] == [shape]


@pytest.mark.parametrize("name", [name for name in NETS if name not in LARGE])
def test_loads(name):
    net = netdef.load(ZOO / f"{name}.prototxt", keep="outputs")

    types = {layer.name: layer.type for layer in net.layers}
    params, shape = NETS[name]
    learned = [blobs for layer, blobs in net.params.items() if types[layer] != "BatchNorm"]
    assert sum(blob.data.size for blobs in learned for blob in blobs) == params
    assert net.blobs["prob"].data.shape == shape


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_tells_images_apart(name):
    net = loaded(name)
    size = net.blobs["data"].data.shape[1:]
    images = np.random.default_rng(1).standard_normal((2, *size), np.float32)
    images[1] *= np.linspace(-2, 2, size[-1], dtype=np.float32)

    both = net.forward(data=images)["prob"].copy()
    alone = net.forward(data=images[1:])["prob"]

    assert both.shape == (2, *NETS[name][1][1:])
    assert_probabilities(both, axis=1)
    assert not np.allclose(both[0], both[1], rtol=0.01, atol=0)
    assert np.allclose(alone[0], both[1], rtol=1e-3, atol=1e-6)


def test_captioner_remembers_until_told_to_begin():
    net = loaded("captioner")
    image = np.random.default_rng(2).standard_normal((1, 1000), np.float32)

    def say(cont, word):
        numbers = {"cont": np.float32([[cont]]), "word": np.float32([[word]])}
        prob = net.forward(image=image, **numbers)["prob"].copy()
        assert_probabilities(prob, axis=2)
        return prob

    first, second, third = say(0, 17), say(1, 17), say(1, 17)
    again = say(0, 17)
    image = -image
    other = say(0, 17)

    for a, b in pairwise((first, second, third)):
        assert not np.allclose(a, b, rtol=1e-2, atol=0)
    assert np.allclose(again, first, rtol=1e-5)
    assert not np.allclose(other, first, rtol=1e-2, atol=0)


@pytest.mark.parametrize(("height", "width"), [(1, 2), (33, 500), (401, 223)])
def test_fcn_scores_every_pixel_of_any_image(height, width):
    net = compiled("fcn8s", data=(1, 3, height, width))
    shapes = {blob.name: blob.shape for blob in net.blobs}
    assert shapes["score"] == (1, 21, height, width)
    assert shapes["fuse_pool4"] == shapes["upscore2"]
    assert shapes["fuse_pool3"] == shapes["upscore_pool4"]


@pytest.mark.parametrize("name", NETS)
def test_drawing_fits(name):
    lines = netdef.draw(ZOO / f"{name}.prototxt", width=100).splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) < 70


@pytest.mark.parametrize("name", NETS)
def test_readme_has_its_numbers(name):
    totals = json.loads(netdef.summary(ZOO / f"{name}.prototxt", format="json"))["totals"]
    readme = (ZOO / "README.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| `{name}\.prototxt` \|.*$", readme, re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[4:6] == [f"{totals['params']:,}", f"{totals['macs'] / 1e6:,.1f}"]
