"""`netdef check`, `explain`, `layers`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netdef.api.kinds import problem_kinds

MODEL, SOLVER = "net.prototxt", "solver.prototxt"
BROKEN = Path(__file__).resolve().parents[1] / "golden" / "broken"


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
    assert result.stderr.endswith("2 errors (1 fixable with `netdef check --fix`)\n")


def test_a_net_and_its_solver_give_each_problem_once(call, bad):
    result = call("check", MODEL, SOLVER, MODEL, "--format", "concise")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("2 errors (1 fixable")


def test_concise(call, bad):
    lines = call("check", "bad.prototxt", "--format", "concise").stdout.splitlines()
    assert lines[0].startswith("bad.prototxt:1:25: error[N401]: `lr_policy`")
    assert lines[-1] == "1 error, 1 warning (1 fixable with `netdef check --fix`)"


def test_json(call, bad):
    result = call("check", MODEL, "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["format_version"], found["ok"], found["errors"]) == (1, False, 2)
    assert (found["fixable"], found["fixed"]) == (1, 0)
    problem = found["problems"][0]
    text = (bad / MODEL).read_text()
    begin, end = problem["offsets"]
    assert text[begin:end] == '"InnerProdct"'
    assert (problem["code"], problem["file"], problem["line"]) == ("N201", MODEL, 10)
    assert problem["end"]["column"] - problem["column"] == end - begin
    assert "InnerProduct" in problem["help"]
    (fix,) = problem["fixes"]
    assert (fix["offsets"], fix["replacement"], fix["safe"]) == (
        [begin, end],
        '"InnerProduct"',
        True,
    )


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
    assert found["version"] == "2.1.0"
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": '"InnerProduct"'}
    assert replacement["deletedRegion"] == place["region"]


def test_diff_shows_and_fix_writes(call, bad):
    before = (bad / MODEL).read_text()
    shown = call("check", MODEL, "--diff")
    assert (bad / MODEL).read_text() == before
    assert shown.exit_code == 1
    assert '-  name: "ip" type: "InnerProdct"' in shown.stdout
    assert '+  name: "ip" type: "InnerProduct"' in shown.stdout
    assert shown.stderr == "would fix 1 problem\n"
    fixed = call("check", MODEL, "--fix")
    assert (bad / MODEL).read_text() == before.replace("InnerProdct", "InnerProduct")
    assert fixed.stderr.startswith("fixed 1 problem\n")
    assert fixed.exit_code == 1  # the bottom is still unknown
    again = call("check", MODEL, "--fix", "--format", "json")
    assert json.loads(again.stdout)["fixed"] == 0


def test_fix_that_mends_all(call, folder):
    (folder / SOLVER).write_text((folder / SOLVER).read_text().replace('"fixed"', "fixed // lr"))
    result = call("check", SOLVER, "--fix")
    assert result.exit_code == 0
    assert result.stderr == "fixed 2 problems\n"
    assert "no problems in 1 file" in result.stdout
    assert 'lr_policy: "fixed" # lr' in (folder / SOLVER).read_text()
    assert call("check", SOLVER, "--diff").exit_code == 0


def test_a_solver_is_mended(call, folder):
    right = (folder / SOLVER).read_text()
    wrong = right.replace('"fixed"', '"fixd"') + 'type: "Adm" /* first\n * second */\n'
    (folder / SOLVER).write_text(wrong)
    shown = call("check", SOLVER, "--diff")
    assert (folder / SOLVER).read_text() == wrong
    assert '+type: "Adam" # first\n+ # second\n' in shown.stdout
    assert shown.stderr == "would fix 3 problems\n"
    fixed = call("check", SOLVER, "--fix")
    assert fixed.exit_code == 0
    assert (folder / SOLVER).read_text() == right + 'type: "Adam" # first\n # second\n'


def test_ignore(call, folder):
    (folder / "no_end.prototxt").write_text((folder / SOLVER).read_text().replace("max_iter", "#"))
    assert "warning[N721]" in call("check", "no_end.prototxt").stderr
    for words in (("--ignore", "N721"), ("--ignore", "n701,NoIterations"), ("--no-lints",)):
        assert call("check", "no_end.prototxt", *words).stderr == ""
    wrong = call("check", MODEL, "--ignore", "N999")
    assert wrong.exit_code == 2
    assert "there is no code `N999`" in wrong.stderr


@pytest.mark.parametrize("command", ["check", "draw", "summary"])
def test_allow_unknown(call, command):
    path = BROKEN / "fork_ssd.prototxt"
    strict, loose = call(command, path), call(command, path, "--allow-unknown")
    assert (strict.exit_code, loose.exit_code) == (1, 0)
    assert "error[N010]" in strict.stderr
    assert "belongs to forks of Caffe: weiliu89/caffe (SSD)" in strict.stderr
    assert "warning[N010]" in loose.stderr
    assert "warning[N201]" in loose.stderr


def test_input_shape(call):
    path = BROKEN / "files_missing.prototxt"
    assert call("check", path, "--format", "concise").stdout.count("N202") == 2
    shapes = ("--input-shape", "data=8,3,227,227", "--input-shape", "label=8")
    found = call("check", path, "--format", "concise", *shapes).stdout
    assert found.count("N202") == 1
    assert call("check", path, "--input-shape", "data=x").exit_code == 2


def test_places_are_in_every_format(call):
    """A mistake in syntax is as good as any other for programs."""
    path = BROKEN / "missing_brace.prototxt"
    found = json.loads(call("check", path, "--format", "json").stdout)
    assert [p["code"] for p in found["problems"]] == ["N002"]
    assert [label["line"] for label in found["problems"][0]["labels"]] == [12, 13]
    line = call("check", path, "--format", "github").stdout
    assert line.startswith("::error file=")
    assert ",line=8,col=3,endLine=8,endColumn=22,title=netdef N002::" in line


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
