"""The bench's nets are the published ones, and every program can be given them."""

from __future__ import annotations

from math import prod

import pytest

from benchmarks import nets
from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import read_net


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets")
    for name in nets.NETS:
        nets.write(name, folder)
    return folder


def compiled(path, phase):
    report = Report()
    graph = compile_net(read_net(path, report), State(phase), report)
    assert not list(report)
    return graph


@pytest.mark.parametrize("name", nets.NETS)
def test_has_the_published_number_of_weights(folder, name):
    graph = compiled(folder / f"{name}.prototxt", Phase.TRAIN)

    # BatchNorm keeps three statistics that nobody trains.
    learned = [p for p in graph.params if graph.nodes[p.owner.node].type != "BatchNorm"]
    assert sum(prod(param.shape) for param in learned) == nets.NETS[name].params


@pytest.mark.parametrize("name", nets.NETS)
def test_trains_and_deploys_with_the_same_weights(folder, name):
    def shapes(graph):
        return {graph.nodes[p.owner.node].name: p.shape for p in graph.params}

    bench = nets.NETS[name]
    train = compiled(folder / f"{name}.prototxt", Phase.TRAIN)
    dry = compiled(folder / f"{name}_dry.prototxt", Phase.TRAIN)
    one = compiled(folder / f"{name}_deploy_1.prototxt", Phase.TEST)
    many = compiled(folder / f"{name}_deploy_{bench.batch}.prototxt", Phase.TEST)

    assert shapes(one) == shapes(many)
    assert shapes(one).items() <= shapes(train).items()
    assert shapes(dry) == shapes(train)
    assert not [node for node in dry.nodes if node.type == "Dropout"]
    sizes = {blob.name: blob.shape for blob in many.blobs}
    assert sizes["data"] == (bench.batch, *bench.image)
    assert sizes["prob"] == (bench.batch, bench.classes)
    assert one.outputs == ("prob",)


def test_googlenet_has_its_auxiliary_losses(folder):
    graph = compiled(folder / "googlenet.prototxt", Phase.TRAIN)
    weights = {blob.name: round(blob.loss_weight, 6) for blob in graph.blobs if blob.loss_weight}
    assert weights == {"loss1/loss": 0.3, "loss2/loss": 0.3, "loss3/loss3": 1.0}
