"""Which states a net has, and the net for deploying."""

from __future__ import annotations

from pathlib import Path

import pytest

from netdef.api.deploying import deploy
from netdef.api.state_lists import read_state, states
from netdef.api.texts import fmt
from netdef.diag import NetdefError, Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text, read_net

GOLDEN = Path(__file__).parents[1] / "golden"
NETS = sorted((GOLDEN / "deploy").glob("*.prototxt"))


@pytest.mark.parametrize(
    "path", sorted((GOLDEN / "states").glob("*.prototxt")), ids=lambda p: p.stem
)
def test_states(path, golden):
    golden(path.with_suffix(".txt"), states(path))


def test_difference_of_two_states():
    path = GOLDEN / "states/phases.prototxt"
    text = states(path, "test", "test,stage=plain")
    assert [line for line in text.splitlines() if line[:2] == " -"] == [" - drop (Dropout, line 5)"]
    assert " + " not in text
    assert "no difference" in states(path, "test", "test,level=3")


@pytest.mark.parametrize("text", ["tset", "test,level=x", "test,stage=", "test,huh", ""])
def test_bad_states(text):
    with pytest.raises(ValueError, match=r"state|phase"):
        read_state(text)


def test_read_state():
    assert read_state("train, level=-2, stage=a,stage=b") == State(
        Phase.TRAIN, -2, frozenset({"a", "b"})
    )


@pytest.mark.parametrize("path", NETS, ids=lambda p: p.stem)
def test_deploy(path, golden):
    report = Report()
    text = deploy(path, report=report)
    assert report.ok
    golden(path.with_suffix(".txt"), text)
    assert fmt("x", text.encode()).after.decode() == text


@pytest.mark.parametrize("path", NETS, ids=lambda p: p.stem)
def test_weights_fit(path):
    def learned(document):
        net = compile_net(document, State(Phase.TEST), Report(), looking=True)
        return {n.name: [p.shape for p in n.learned] for n in net.nodes if n.learned}

    before = learned(read_net(path, Report()))
    after = learned(net_from_text(deploy(path), "deploy", Report()))
    assert after
    assert after.items() <= before.items()


def test_shape_must_be_known_or_said(tmp_path):
    path = tmp_path / "net.prototxt"
    text = (GOLDEN / "deploy/classifier.prototxt").read_text().replace("crop_size: 12", "")
    path.write_text(text)
    with pytest.raises(NetdefError, match="N280"):
        deploy(path)
    assert "dim: 30" in deploy(path, input_shapes={"data": (1, 3, 30, 31)})
    with pytest.raises(NetdefError, match="N282"):
        deploy(path, input_shapes={"data": (1, 3, 9, 9), "label": (1,)})


def test_other_size_warns_of_weights():
    report = Report()
    deploy(NETS[1], input_shapes={"data": (1, 3, 20, 20)}, report=report)
    assert "N283" in {p.code for p in report}


def test_nothing_to_deploy(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text('layer { name: "i" type: "Input" top: "i" input_param { shape { dim: 1 } } }')
    with pytest.raises(NetdefError, match="N281"):
        deploy(path)
