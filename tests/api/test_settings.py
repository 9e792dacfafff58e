"""Single fields of solvers and nets, set in place of what their files say."""

from __future__ import annotations

import pytest

from netdef.api.problems import SettingError
from netdef.api.settings import read_assignments, with_settings
from netdef.diag import Report
from netdef.schema.document import net_from_text, solver_from_text

NET = """layer { name: "data" type: "Data" data_param { batch_size: 4 } include { phase: TRAIN } }
layer { name: "data" type: "Data" data_param { batch_size: 5 } include { phase: TEST } }
layer { name: "conv1" type: "Convolution" param { lr_mult: 1 } param { lr_mult: 2 } }
layer { name: "clip" type: "Clip" clip_param { min: 0 max: 1 } }
"""


def solver(*texts, text="base_lr: 0.1 stepvalue: 5 stepvalue: 6"):
    return with_settings(solver_from_text(text, "s", Report()), read_assignments(texts))


def net(*texts):
    return with_settings(net_from_text(NET, "n", Report()), read_assignments(texts))


def complaints(make, *texts):
    with pytest.raises(SettingError) as caught:
        make(*texts)
    return [problem.message for problem in caught.value.report]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("base_lr=0.25", "base_lr", 0.25),
        ("base_lr = 0.25", "base_lr", 0.25),
        ("max_iter=0x10", "max_iter", 16),
        ("type=Adam", "type", "Adam"),
        ('type="Adam"', "type", "Adam"),
        ("snapshot_prefix=a b=c", "snapshot_prefix", "a b=c"),
        (r"snapshot_prefix=C:\x", "snapshot_prefix", "C:\\x"),
        ("snapshot_after_train=false", "snapshot_after_train", False),
        ("solver_mode=CPU", "solver_mode", 0),
        ("stepvalue=[10, 20, 30]", "stepvalue", [10, 20, 30]),
        ("stepvalue=10,20", "stepvalue", [10, 20]),
        ("stepvalue=7", "stepvalue", [7]),
        ("stepvalue[1]=9", "stepvalue", [5, 9]),
    ],
)
def test_values(text, field, value):
    assert getattr(solver(text).message, field) == value


def test_fields_in_messages():
    message = solver("train_state.level=3", 'train_state.stage=["a", "b"]').message
    assert message.train_state.level == 3
    assert message.train_state.stage == ["a", "b"]


def test_later_ones_win():
    assert solver("max_iter=1", "max_iter=2").message.max_iter == 2


def test_layers_by_name_and_number():
    layers = net(
        "net.layer[conv1].convolution_param.num_output=32",
        "net.layer[2].param[1].lr_mult=7",
        "net.layer[conv1].convolution_param.kernel_size=[3, 5]",
    ).message.layer
    assert layers[2].convolution_param.num_output == 32
    assert layers[2].convolution_param.kernel_size == [3, 5]
    assert [param.lr_mult for param in layers[2].param] == [1, 7]


def test_a_name_stands_for_all_layers_that_have_it():
    layers = net("net.layer[data].data_param.batch_size=9").message.layer
    assert [layer.data_param.batch_size for layer in layers[:2]] == [9, 9]
    layers = net("net.layer[1].data_param.batch_size=9").message.layer
    assert [layer.data_param.batch_size for layer in layers[:2]] == [4, 9]


def test_whole_messages():
    layers = net("net.layer[conv1].param[0]={ decay_mult: 3 }").message.layer
    assert layers[2].param[0].decay_mult == 3
    assert not layers[2].param[0].HasField("lr_mult")


def test_required_fields_beside_it_are_there():
    assert net("net.layer[clip].clip_param.max=2").message.layer[3].clip_param.max == 2


def test_places():
    document = solver("base_lr=0.25")
    span = document.spans.find(("base_lr",))
    assert str(span) == "--set:1:9"
    assert span.text == "0.25"
    assert str(document.spans.find(("stepvalue", 0))).startswith("s:1:")
    assert ("base_lr",) in set(document.spans.paths())
    document = net("net.layer[data].data_param={ batch_size: 9 }")
    span = document.spans.find(("layer", 1, "data_param", "batch_size"))
    assert span.text == "{ batch_size: 9 }"


def test_places_of_what_is_at_fault():
    with pytest.raises(SettingError) as caught:
        net("net.layer[conv1].convolution_param.num_output=x")
    (problem,) = caught.value.report
    assert problem.span.text == "x"
    assert "integer" in problem.message


@pytest.mark.parametrize(
    ("make", "text", "words"),
    [
        (solver, "base_lr", "`base_lr` sets nothing"),
        (solver, "=3", "`=3` sets nothing"),
        (solver, "base lr=3", "no path of a field"),
        (solver, "base_lrr=3", "there is no field `base_lrr` in SolverParameter"),
        (solver, "base_lr.x=3", "`base_lr` is a value, with no fields in it"),
        (solver, "max_iter=1.5", "`max_iter`"),
        (solver, "stepvalue[2]=3", "there is no `stepvalue[2]`"),
        (solver, "solver_mode=TPU", "TPU"),
        (solver, "type[0]=x", "there is no `type[0]`"),
        (net, "net.layer.name=x", "there are 4 `layer`: which one is not said"),
        (net, "net.layer[conv2].name=x", "there is no `layer[conv2]`"),
        (net, "net.layer[9].name=x", "there is no `layer[9]`"),
        (net, "net.layer[conv1].type=[a, b]", "`type`"),
    ],
)
def test_mistakes(make, text, words):
    (found,) = complaints(make, text)
    assert words in found


def test_all_mistakes_at_once():
    assert len(complaints(solver, "a=1", "b=2")) == 2
