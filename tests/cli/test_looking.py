"""`netdef draw`, `summary`, `params`, `time`, `test`: nets that are right, wrong, missing."""

from __future__ import annotations

import json

import pytest

from netdef.cli.draw import FORMATS

MODEL, SOLVER = "net.prototxt", "solver.prototxt"
SHOWING = ("draw", "summary", "params")


def test_formats_are_those_of_the_view():
    from netdef import view

    assert view.FORMATS == FORMATS


@pytest.mark.parametrize("command", SHOWING)
def test_shows(call, command):
    result = call(command, MODEL)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "tiny" in result.stdout
    assert "ip" in result.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_draw_formats(call, form):
    text = call("draw", MODEL, "--format", form).stdout
    assert "ip" in text
    assert text.endswith("\n")
    if form == "json":
        json.loads(text)
    if form == "ascii":
        assert text.isascii()


def test_draw_width(call, monkeypatch):
    wide, narrow = (call("draw", MODEL, "--width", n).stdout for n in (120, 40))
    assert max(map(len, narrow.splitlines())) <= 40
    assert max(map(len, wide.splitlines())) <= 120


NO_NETS = [("nothing", "N101"), (".", "N102"), (SOLVER, "N106")]


@pytest.mark.parametrize(
    ("command", "model", "code"),
    [
        (command, model, code)
        for command in (*SHOWING, "time")
        for model, code in NO_NETS
        if (command, model) != ("params", SOLVER)  # which it takes
    ],
)
def test_no_net(call, command, model, code):
    result = call(command, model)
    assert result.exit_code == 1
    assert f"error[{code}]" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", SHOWING)
def test_a_net_with_mistakes_is_shown_too(call, folder, command):
    text = (folder / MODEL).read_text()
    (folder / MODEL).write_text(text.replace('bottom: "data"', 'bottom: "dta"'))
    result = call(command, MODEL)
    assert result.exit_code == 1
    assert "tiny" in result.stdout
    assert "error[N204]" in result.stderr
    assert "did you mean" in result.stderr or "data" in result.stderr


def test_phase_is_the_one_with_data(call, folder):
    text = (folder / MODEL).read_text()
    rule = 'type: "DummyData" include { phase: TRAIN }'
    (folder / MODEL).write_text(text.replace('type: "DummyData"', rule))
    assert "(TRAIN)" in call("summary", MODEL).stdout
    result = call("summary", MODEL, "--phase", "test")
    assert "(TEST)" in result.stdout
    assert result.exit_code == 1


@pytest.mark.parametrize("files", [(MODEL, SOLVER), (SOLVER, MODEL), (SOLVER,)])
def test_params_rate(call, folder, files):
    text = (folder / MODEL).read_text()
    params = "param { lr_mult: 1 } param { lr_mult: 3 } inner_product_param"
    (folder / MODEL).write_text(text.replace("inner_product_param", params))
    result = call("params", *files)
    assert result.exit_code == 0, result.stderr
    rows = {line.split()[0]: line.split()[-1] for line in result.stdout.splitlines()}
    assert (rows["ip[0]"], rows["ip[1]"]) == ("0.1", "0.3")


def test_params_of_a_solver_without_its_net(call, folder):
    (folder / MODEL).unlink()
    result = call("params", SOLVER)
    assert result.exit_code == 1
    assert "there is no net `net.prototxt`" in result.stderr


def test_time(call):
    result = call("time", MODEL, "--iterations", "3", "--threads", "1")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert {"data", "ip", "loss", "whole"} <= {row[0] for row in rows[2:]}
    assert "sgemm" in result.stdout
    found = json.loads(call("time", MODEL, "--iterations", "3", "--json").stdout)
    assert found["batch"] == 6
    (ip,) = (step for step in found["steps"] if step["name"] == "ip" and step["type"])
    assert (ip["macs"], ip["gradients"]) == (6 * 3 * 2, 1)
    assert 0 < ip["forward"] < found["forward"]
    assert found["backward"] > 0


@pytest.mark.parametrize("command", ["time", "train"])
def test_a_trace_that_a_browser_opens(call, folder, command):
    files = [MODEL] if command == "time" else [MODEL, SOLVER]
    result = call(command, *files, "--profile", "trace.json", "--threads", "2")
    assert result.exit_code == 0, result.stderr
    events = json.loads((folder / "trace.json").read_text())["traceEvents"]
    spans = [event for event in events if event["ph"] == "X"]
    assert {"ip", "loss"} <= {event["name"] for event in spans}
    assert {event["cat"] for event in spans} == {"forward", "backward"}
    assert all(event["dur"] >= 0 for event in spans)
    result = call(command, *files, "--profile", "no/such/folder/trace.json")
    assert result.exit_code == 1
    assert "the trace `no/such/folder/trace.json` cannot be written" in result.stderr


def test_time_without_backward(call, folder):
    text = (folder / MODEL).read_text()
    (folder / MODEL).write_text(text[: text.rindex("layer {")])
    result = call("time", MODEL, "--iterations", "2")
    assert result.exit_code == 0
    assert "no backward pass" in result.stdout


def test_scores(call, trained):
    result = call(
        "test", MODEL, "--weights", "tiny_iter_20.caffemodel", "--iterations", "3", "--seed", "1"
    )
    assert result.exit_code == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first.startswith("tiny: mean of 3 batches, ")
    assert second.split()[0] == "loss"
    assert float(second.split()[1]) < 0.2


def test_scores_for_caffes_scripts(call, trained):
    text = call("test", MODEL, "-w", "tiny_iter_20.caffemodel", "--iterations", 2,
                "--log-format", "caffe").stdout.splitlines()  # fmt: skip
    words = [line.partition("] ")[2].split(" = ")[0] for line in text]
    assert words == ["Batch 0, loss", "Batch 1, loss", words[2], "loss"]
    assert words[2].startswith("Loss: ")


def test_scores_for_programs(call, trained):
    text = call("test", MODEL, "-w", "tiny_iter_20.caffemodel", "--iterations", 2,
                "--log-format", "jsonl").stdout.splitlines()  # fmt: skip
    batches, mean = [json.loads(line) for line in text[:2]], json.loads(text[2])
    expected = sum(batch["outputs"]["loss"] for batch in batches) / 2
    assert mean["outputs"]["loss"] == pytest.approx(expected)


def test_scores_need_weights(call):
    result = call("test", MODEL)
    assert result.exit_code == 2
    assert f"netdef test {MODEL} --weights FILE" in result.stderr


def test_scores_of_swapped_arguments(call, trained):
    result = call("test", "tiny_iter_20.caffemodel", "--weights", MODEL)
    assert result.exit_code == 2
    assert "it goes after --weights" in result.stderr


@pytest.mark.parametrize(("weights", "code"), [("nothing", "N101"), (SOLVER, "N151")])
def test_scores_of_wrong_weights(call, weights, code):
    result = call("test", MODEL, "--weights", weights)
    assert result.exit_code == 1
    assert f"error[{code}]" in result.stderr
