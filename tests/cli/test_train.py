"""`netdef train`: files in any order, settings, snapshots, resuming, weights."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.schema.weights import read_state, read_weights

MODEL, SOLVER = "net.prototxt", "solver.prototxt"


def lines(result):
    return result.stdout.splitlines()


@pytest.mark.parametrize("files", [(SOLVER,), (MODEL, SOLVER), (SOLVER, MODEL)])
def test_trains(call, folder, files):
    result = call("train", *files)
    assert result.exit_code == 0, result.stderr
    assert lines(result)[0].startswith("tiny: iterations 0 to 20, 8 parameters")
    assert [line.split()[:2] for line in lines(result)[1:-1]] == [
        ["test", "0"],
        ["iteration", "0"],
        ["test", "10"],
        ["iteration", "10"],
        ["snapshot", "20"],
        ["iteration", "20"],
        ["test", "20"],
    ]
    assert lines(result)[-1].startswith("done at 20 after ")
    assert (folder / "tiny_iter_20.caffemodel").exists()
    assert read_state("tiny_iter_20.solverstate").iteration == 20


def test_the_model_named_is_the_one_trained(call, folder):
    text = (folder / MODEL).read_text()
    (folder / "other.prototxt").write_text(text.replace("tiny", "other"))
    assert lines(call("train", "other.prototxt", SOLVER))[0].startswith("other: ")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ((), "Missing argument"),
        ((MODEL,), f"netdef train {MODEL} solver.prototxt"),
        ((MODEL, MODEL), "are both nets"),
        ((SOLVER, SOLVER), "are both solvers"),
        ((MODEL, SOLVER, "x"), "3 files are too many"),
        ((SOLVER, "--weights", "a", "--resume", "b"), "give one of them"),
        ((SOLVER, "--threads", "0"), "--threads"),
        ((SOLVER, "--set", "base_lr"), "`base_lr` sets nothing"),
        ((SOLVER, "--set", "base_lrr=1"), "did you mean `base_lr`?"),
        ((SOLVER, "--set", "base_lr=abc"), "--set:1:9"),
        ((SOLVER, "--set", "net.layer[ipp].name=x"), "did you mean `layer[ip]`?"),
        ((SOLVER, "--set", "net.layer[fc].name=x"), "there are data, ip, loss"),
    ],
)
def test_wrong_usage(call, folder, files, words):
    result = call("train", *files)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert not list(folder.glob("*.caffemodel"))


def test_weights_and_states_have_options_of_their_own(call, trained):
    result = call("train", "tiny_iter_20.caffemodel", SOLVER)
    assert result.exit_code == 2
    assert "it goes after --weights" in result.stderr
    result = call("train", SOLVER, "tiny_iter_20.solverstate")
    assert result.exit_code == 2
    assert "it goes after --resume" in result.stderr


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (("nothing",), "N101"),
        (("nothing", SOLVER), "N101"),
        ((MODEL, "nothing"), "N101"),
        ((".",), "N102"),
        ((SOLVER, "--weights", "nothing"), "N101"),
        ((SOLVER, "--resume", "nothing"), "N101"),
        ((SOLVER, "--resume", SOLVER), "N151"),
        ((SOLVER, "--out", f"{SOLVER}/x"), "N510"),
        ((SOLVER, "--set", "net.layer[ip].inner_product_param.num_output=0"), "N202"),
        ((SOLVER, "--set", "net=nothing"), "N401"),
    ],
)
def test_files_at_fault(call, files, code):
    result = call("train", *files)
    assert result.exit_code == 1
    assert f"error[{code}]" in result.stderr
    assert "Traceback" not in result.output


def test_a_full_disk_leaves_no_half_snapshot(start, folder):
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (96, 96))

    process = start("train", SOLVER, preexec_fn=limit)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error[N154]: `tiny_iter_20.solverstate` cannot be written" in errors
    assert sorted(p.name for p in folder.iterdir()) == [MODEL, SOLVER]


def test_settings(call, folder):
    result = call(
        "train",
        SOLVER,
        *("--set", "type=Adam"),
        *("--set", "momentum2=0.99"),
        *("--set", "net.layer[ip].inner_product_param.num_output=2"),
        *("--set", "net.layer[data].dummy_data_param.shape[0].dim=[6, 5]"),
        *("--max-iter", "3"),
        *("--out", "runs/first"),
    )
    assert result.exit_code == 0, result.stderr
    assert "iterations 0 to 3, 12 parameters" in lines(result)[0]
    state = read_state(folder / "runs/first/tiny_iter_3.solverstate")
    assert len(state.history) == 4
    assert read_weights("runs/first/tiny_iter_3.caffemodel")["ip"][0].shape == (2, 5)


def test_resuming_continues_the_curve(call, folder):
    whole = call("train", SOLVER, "--set", "display=1", "--out", "whole")
    call("train", SOLVER, "--max-iter", "7", "--out", "half")
    state = "half/tiny_iter_7.solverstate"
    rest = call("train", SOLVER, "--resume", state, "--set", "display=1", "--out", "half")
    assert rest.exit_code == 0, rest.stderr
    assert lines(rest)[0].startswith("resumed ")

    def losses(result):
        found = [line.split() for line in lines(result) if line.startswith("iteration ")]
        return {words[1]: words[3] for words in found}

    later = losses(rest)
    assert set(later) == {str(n) for n in range(7, 21)}
    assert later.items() <= losses(whole).items()
    a = read_weights("whole/tiny_iter_20.caffemodel")["ip"][0]
    b = read_weights("half/tiny_iter_20.caffemodel")["ip"][0]
    assert np.array_equal(a, b)


def test_seed(call):
    one, same, other = (
        call("train", SOLVER, "--seed", seed, "--set", "snapshot_after_train=false").stdout
        for seed in (3, 3, 4)
    )
    assert one.splitlines()[1] == same.splitlines()[1] != other.splitlines()[1]


def test_weights(call, trained):
    before = read_weights("tiny_iter_20.caffemodel")["ip"][0]
    result = call(
        "train", SOLVER, "--weights", "tiny_iter_20.caffemodel", "--max-iter", 0, "--out", "new"
    )
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert np.array_equal(read_weights("new/tiny_iter_0.caffemodel")["ip"][0], before)


def test_weights_of_another_net(call, trained):
    text = (trained / MODEL).read_text()
    (trained / MODEL).write_text(text.replace('name: "ip"', 'name: "fc"'))
    result = call("train", SOLVER, "--weights", "tiny_iter_20.caffemodel")
    assert result.exit_code == 1
    assert "has no layer of this net: `fc`" in result.stderr


def test_weights_for_some_layers_only(call, trained):
    more = 'layer { name: "more" type: "InnerProduct" bottom: "ip" top: "more" '
    more += "inner_product_param { num_output: 1 } }\n"
    with (trained / MODEL).open("a") as file:
        file.write(more)
    result = call("train", SOLVER, "--weights", "tiny_iter_20.caffemodel")
    assert result.exit_code == 0
    assert "warning[N603]: `tiny_iter_20.caffemodel` has no weights for `more`" in result.stderr


def test_state_of_the_train_net(call, folder):
    text = (folder / MODEL).read_text()
    silent = 'layer { name: "s" type: "Silence" bottom: "x" include { RULE } }\n'
    data = 'layer { name: "x" type: "DummyData" top: "x" include { RULE } '
    data += "dummy_data_param { shape { dim: 2 } } }\n"
    (folder / MODEL).write_text(
        text + (data + silent).replace("RULE", 'phase: TRAIN min_level: 2 stage: "a" stage: "b"')
    )
    call("train", SOLVER, "--max-iter", "1", "--level", "2", "--stage", "a", "--stage", "b")
    from netdef.api import load_solver

    def layers(*settings):
        return [layer.name for layer in load_solver(SOLVER, settings=settings).net.layers]

    assert "x" not in layers()
    assert "x" in layers("train_state.level=2", 'train_state.stage=["a", "b"]')


def test_nets_that_nobody_feeds(call, folder):
    (folder / MODEL).write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
        "inner_product_param { num_output: 1 } }\n"
        'layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "y" top: "loss" }\n'
    )
    result = call("train", SOLVER, "--max-iter", "1")
    assert result.exit_code == 0
    assert "warning[N602]: nothing fills `x`" in result.stderr
