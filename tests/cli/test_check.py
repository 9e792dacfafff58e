"""`netdef check`, `explain`, `layers`."""

from __future__ import annotations

import json

import pytest

from netdef.api.kinds import problem_kinds

MODEL, SOLVER = "net.prototxt", "solver.prototxt"


@pytest.fixture
def bad(folder):
    """Three mistakes: an unknown type, an unknown bottom and a solver that cannot train."""
    text = (folder / MODEL).read_text()
    text = text.replace('"InnerProduct"', '"InnerProdct"').replace('bottom: "label"', 'bottom: "l"')
    (folder / MODEL).write_text(text)
    (folder / "bad.prototxt").write_text('base_lr: 0.1 lr_policy: "fixd" net: "net.prototxt"')
    return folder


def test_all_is_well(call):
    result = call("check", MODEL, SOLVER)
    assert result.exit_code == 0
    assert result.stdout == "no problems in 2 files\n"
    assert result.stderr == ""


def test_full(call, bad):
    result = call("check", MODEL)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"error[N201]: unknown layer type `InnerProdct`\n  --> {MODEL}:10:20" in result.stderr
    assert result.stderr.endswith("2 errors\n")


def test_a_net_and_its_solver_give_each_problem_once(call, bad):
    result = call("check", MODEL, SOLVER, MODEL, "--format", "concise")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "2 errors"


def test_concise(call, bad):
    lines = call("check", "bad.prototxt", "--format", "concise").stdout.splitlines()
    assert lines[0].startswith("bad.prototxt:1:25: error[N401]: `lr_policy`")
    assert lines[-1] == "1 error"


def test_json(call, bad):
    result = call("check", MODEL, "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["format_version"], found["ok"], found["errors"]) == (1, False, 2)
    problem = found["problems"][0]
    text = (bad / MODEL).read_text()
    begin, end = problem["offsets"]
    assert text[begin:end] == '"InnerProdct"'
    assert (problem["code"], problem["file"], problem["line"]) == ("N201", MODEL, 10)
    assert problem["end"]["column"] - problem["column"] == end - begin
    assert "InnerProduct" in problem["help"]


def test_json_of_what_has_no_place(call):
    found = json.loads(call("check", "nothing", "--format", "json").stdout)
    assert found["problems"][0]["code"] == "N101"
    assert found["problems"][0]["line"] is None


def test_json_without_problems(call):
    found = json.loads(call("check", MODEL, "--format", "json").stdout)
    assert (found["ok"], found["problems"]) == (True, [])


def test_github(call, bad):
    line = call("check", MODEL, "--format", "github").stdout.splitlines()[0]
    assert line.startswith(f"::error file={MODEL},line=10,col=20,endLine=10,endColumn=33,title=")
    assert "::unknown layer type `InnerProdct`" in line


def test_sarif(call, bad):
    found = json.loads(call("check", MODEL, "--format", "sarif").stdout)
    (run,) = found["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["N201", "N204"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"N201", "N204"}
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == MODEL
    assert place["region"]["startLine"] == 10


def test_strict_reports_what_caffe_refuses(call, folder):
    (folder / "two.prototxt").write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        + "".join(
            f'layer {{ name: "{name}" type: "InnerProduct" bottom: "x" top: "{name}" '
            f'param {{ name: "w" lr_mult: {rate} }} '
            "inner_product_param { num_output: 3 bias_term: false } }\n"
            for name, rate in (("a", 1), ("b", 10))
        )
    )
    loose, strict = (call("check", "two.prototxt", *more) for more in ((), ("--strict",)))
    assert loose.exit_code == 0
    assert "note[N211]" in loose.stderr
    assert strict.exit_code == 1
    assert "error[N211]" in strict.stderr


def test_one_phase_only(call, folder):
    text = (folder / MODEL).read_text()
    rule = 'type: "EuclideanLos" include { phase: TEST }'
    (folder / MODEL).write_text(text.replace('type: "EuclideanLoss"', rule))
    assert call("check", MODEL, "--phase", "train").exit_code == 0
    assert call("check", MODEL, "--phase", "test").exit_code == 1
    assert call("check", MODEL).exit_code == 1


def test_no_files(call):
    assert call("check").exit_code == 2


@pytest.mark.parametrize("code", sorted(problem_kinds()))
def test_every_code_has_a_story(call, code):
    result = call("explain", code)
    assert result.exit_code == 0
    head, _, story = result.stdout.partition("\n\n")
    assert f"[{code}]: " in head
    first = story.partition("\n")[0]
    assert len(story.split()) > 8
    assert first.endswith((".", ":")), first
    assert not story.startswith(" ")


@pytest.mark.parametrize("code", ["n201", "201", "N0201", "[N201]", "UnknownLayerType"])
def test_codes_in_other_words(call, code):
    assert call("explain", code).stdout == call("explain", "N201").stdout


@pytest.mark.parametrize(
    ("code", "near"), [("N299", "the nearest are `N2"), ("x", "`netdef explain` lists")]
)
def test_unknown_code(call, code, near):
    result = call("explain", code)
    assert result.exit_code == 2
    assert f"there is no code `{code}`" in result.stderr
    assert near in result.stderr


def test_all_codes(call):
    lines = call("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(problem_kinds())


def test_layers(call):
    from netdef import layers

    assert [line.split()[0] for line in call("layers").stdout.splitlines()] == layers.types()


@pytest.mark.parametrize("name", ["InnerProduct", "innerproduct", "inner_product"])
def test_a_layer(call, name):
    text = call("layers", name).stdout
    assert text.startswith("InnerProduct\n\n")
    assert "Example:" in text
    assert "num_output" in text
    assert 'type: "InnerProduct"' in text


def test_settings_of_a_layer(call):
    text = call("layers", "Pooling").stdout
    assert "MAX | AVE | STOCHASTIC = MAX" in text
    text = call("layers", "SoftmaxWithLoss").stdout
    assert "softmax_param:" in text
    assert "loss_param:" in text


def test_every_layer_is_shown(call):
    from netdef import layers

    for name in layers.types():
        result = call("layers", name)
        assert result.exit_code == 0
        assert f'type: "{name}"' in result.stdout


def test_unknown_layer(call):
    result = call("layers", "Poling")
    assert result.exit_code == 2
    assert "did you mean Pooling" in result.stderr
