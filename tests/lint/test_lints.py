"""What lints say, and that they say nothing where nothing is wrong.

The reports themselves are golden files: tests/golden/broken/lint_*.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from netdef import lint
from netdef.api import check
from netdef.api.kinds import problem_kinds
from netdef.diag import Source
from netdef.diag.problem import Severity
from netdef.lint.half_frozen import HalfFrozen
from netdef.lint.ignore import Ignored

ROOT = Path(__file__).resolve().parents[2]
DATA = """layer {
  name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 4 dim: 3 dim: 8 dim: 8 } shape { dim: 4 } }
}
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "%s" bottom: "label" top: "loss" }\n'


def ip(name, bottom, rest="", filler='type: "xavier"', bias=""):
    filler = f"weight_filler {{ {filler} }}" if filler else ""
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {rest}\n'
        f"  inner_product_param {{ num_output: 5 {filler} {bias} }} }}\n"
    )


def layer(name, kind, bottom, top=None, rest=""):
    top = top or bottom
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top}" {rest} }}\n'


@pytest.fixture
def codes(tmp_path, monkeypatch):
    """Codes of what check finds in a text."""
    monkeypatch.chdir(tmp_path)

    def run(text, **settings):
        (tmp_path / "net.prototxt").write_text(text)
        return [problem.code for problem in check("net.prototxt", **settings)]

    return run


def test_our_models_are_clean(monkeypatch):
    monkeypatch.chdir(ROOT)
    for path in sorted(Path("models").rglob("*.prototxt")):
        if path.stem != "two_hidden":
            assert _lints(check(path)) == [], path


def test_the_net_that_does_not_train(monkeypatch):
    monkeypatch.chdir(ROOT)
    (problem,) = check("models/signal/two_hidden.prototxt")
    assert problem.code == "N706"
    assert problem.span.text == "0.001"
    assert "`O`, `O1` and `O2`" in problem.message


@pytest.mark.parametrize("dropout", [True, False])
def test_benchmark_nets_are_clean(tmp_path, monkeypatch, dropout):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import nets

    for name in nets.NETS:
        path = tmp_path / f"{name}.prototxt"
        path.write_text(nets.text(name, dropout=dropout))
        assert _lints(check(path)) == [], name
        path.write_text(nets.text(name, deploy=True))
        assert _lints(check(path)) == [], name


def _lints(report):
    return [problem.code for problem in report if problem.code.startswith("N7")]


SMALL = 'type: "gaussian" std: 0.001'


def _deep(count, filler=SMALL, between="ReLU", bias=""):
    text, bottom = DATA, "data"
    for number in range(count):
        text += ip(f"ip{number}", bottom, filler=filler, bias=bias)
        bottom = f"ip{number}"
        if between and number < count - 1:
            text += layer(f"act{number}", between, bottom)
    return text + LOSS % bottom


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_deep(3), True),
        (_deep(2), False),  # two layers still learn
        (_deep(3, 'type: "gaussian" std: 0.1'), False),
        (_deep(3, 'type: "msra"'), False),
        (_deep(3, bias='bias_filler { type: "constant" value: 0.1 }'), False),
        (_deep(3, bias='bias_filler { type: "constant" value: 0.0001 }'), True),
        (_deep(3, 'type: "uniform" min: -0.001 max: 0.001'), True),
        (_deep(3, 'type: "uniform" min: 0 max: 1'), False),
        (_deep(3, between="BatchNorm"), False),
        (_deep(3, between=""), False),  # no rectifier: seldom meant to train, not this lint's
    ],
)
def test_vanishing_start(codes, text, found):
    assert ("N706" in codes(text)) is found


BN = layer("bn", "BatchNorm", "ip1")


@pytest.mark.parametrize(
    ("behind", "found"),
    [
        (layer("relu", "ReLU", "ip1"), True),
        (layer("scale", "Scale", "ip1"), False),
        ("", True),
        (ip("ip2", "ip1") + layer("relu", "ReLU", "ip2", "ip1_"), False),
    ],
)
def test_batch_norm_without_scale(codes, behind, found):
    last = "ip2" if "ip2" in behind else "ip1"
    text = DATA + ip("ip1", "data") + BN + behind + LOSS % last
    assert ("N701" in codes(text)) is found


def test_frozen_statistics_are_fine_where_nothing_before_learns(codes):
    stats = "batch_norm_param { use_global_stats: true }"
    rest = layer("bn", "BatchNorm", "ip1", rest=stats) + layer("scale", "Scale", "ip1")
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    assert "N702" in codes(DATA + ip("ip1", "data") + rest + ip("ip2", "ip1") + LOSS % "ip2")
    found = codes(DATA + ip("ip1", "data", frozen) + rest + ip("ip2", "ip1") + LOSS % "ip2")
    assert "N702" not in found


def test_dropout_before_a_layer_is_fine(codes):
    drop = layer("drop", "Dropout", "ip1")
    assert "N710" in codes(DATA + ip("ip1", "data") + drop + LOSS % "ip1")
    text = DATA + ip("ip1", "data") + drop + ip("ip2", "ip1") + LOSS % "ip2"
    assert "N710" not in codes(text)


def test_nothing_is_said_of_dropout_where_shapes_are_unknown(codes):
    source = """layer { name: "data" type: "Data" top: "data" top: "label"
      transform_param { crop_size: 8 }
      data_param { source: "not_here" batch_size: 4 backend: LMDB } }
    """
    text = source + ip("ip1", "data") + layer("drop", "Dropout", "ip1") + ip("ip2", "ip1")
    assert codes(text + LOSS % "ip2") == ["N202"]


def test_softmax_elsewhere_is_fine(codes):
    prob = layer("prob", "Softmax", "ip1", "prob")
    assert "N704" not in codes(DATA + ip("ip1", "data") + prob + LOSS % "ip1")
    through = layer("flat", "Flatten", "prob", "flat")
    assert "N704" in codes(DATA + ip("ip1", "data") + prob + through + LOSS % "flat")


def test_shared_layers_learn_by_their_sharers(codes):
    shared = 'param { name: "w" } param { name: "b" }'
    text = DATA + ip("ip1", "data", shared) + ip("other", "data", shared) + LOSS % "ip1"
    assert "N711" not in codes(text)
    assert "N711" in codes(DATA + ip("ip1", "data") + ip("other", "data") + LOSS % "ip1")


def test_one_second_block_among_few_is_no_rule(codes):
    pair = "param { lr_mult: 1 } param { lr_mult: 2 }"
    text = DATA + ip("a", "data", pair) + ip("b", "a") + LOSS % "b"
    assert codes(text) == []


def test_a_test_branch_with_the_name_of_a_training_layer_is_trained(codes):
    train, test = "include { phase: TRAIN }", "include { phase: TEST }"
    text = DATA + ip("ip1", "data", train)
    assert "N712" not in codes(text + ip("ip1", "data", test) + LOSS % "ip1")
    found = codes(text + ip("ip2", "data", test).replace('top: "ip2"', 'top: "ip1"') + LOSS % "ip1")
    assert "N712" in found


def test_lints_wait_for_errors(codes):
    text = _deep(3)
    assert "N706" not in codes(text.replace('bottom: "label"', 'bottom: "labels"'))


def test_without_lints(codes):
    assert codes(_deep(3), lints=False) == []


def test_ignore_by_code(codes):
    assert codes(_deep(3), ignore=["n706"]) == []
    assert codes("lear { }", ignore=["N010"]) == ["N010"]  # errors stay


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("layer { @ }\n", False),
        ("layer { @ } # netdef: ignore N713\n", True),
        ("layer { # netdef: ignore N713\n @ }\n", True),
        ("layer { @\n # netdef: ignore N713, N701 because it is so\n }\n", True),
        ("layer { @ # netdef: ignore N701\n }\n", False),
        ("layer { @ # netdef: ignore\n }\n", True),
        ("layer { } # netdef: ignore N713\nlayer { @ }\n", False),
        ("layer { # netdef: ignore N713\n }\nlayer { @ }\n", False),
        ("# netdef: ignore N713\nlayer { } layer { @ }\n", True),
        ("layer { @ }\n# netdef: ignore N713\n", True),
        ('name: "# netdef: ignore N713"\nlayer { @ }\n', False),
        ("base_lr: @ # netdef: ignore N713\n", True),
        ("base_lr: @\nlr: 1 # netdef: ignore N713\n", False),
        ('layer { name: "}" @ # netdef: ignore N713\n }\n', True),
        ("layer < @ > #netdef:ignore n713\n", True),
    ],
)
def test_comments_turn_lints_off(text, covered):
    from netdef.diag import Span

    at = text.index("@")
    source = Source("net", text)
    problem = HalfFrozen("something", Span(source, at, at + 1))
    assert Ignored(source).covers(problem) is covered
    error = HalfFrozen("something", Span(source, at, at + 1), severity=Severity.ERROR)
    assert not Ignored(source).covers(error)


def test_every_lint_is_in_the_table_and_has_a_case():
    files = {p.stem for p in (ROOT / "netdef/lint").glob("*.py")}
    table = {found.__name__ for found in (*lint.LINTS, *lint.SOLVER_LINTS)}
    assert files - {"__init__", "walk", "look", "ignore"} == table
    said = "".join(p.read_text() for p in (ROOT / "tests/golden/broken").glob("*.txt"))
    codes = {
        code for code, kind in problem_kinds().items() if kind.__module__.startswith("netdef.lint.")
    }
    assert len(codes) == len(table)
    assert {code for code in codes if f"[{code}]" not in said} == set()


@pytest.mark.parametrize("code", [c for c in problem_kinds() if c.startswith("N7")])
def test_stories_have_an_example(code):
    story = problem_kinds()[code].__doc__ or ""
    assert "Example" in story
    assert "Write" in story
