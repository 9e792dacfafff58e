"""`netdef fmt`, `upgrade`, `states`, `deploy`, `--input-shape`: files, streams, exit status."""

from __future__ import annotations

import subprocess
import sys

import pytest

MESSY = "name:'a'\nlayer {type:'ReLU' name: 'r' bottom: 'x' top: 'x'}  # c\n"
NEAT = 'name: "a"\nlayer {\n  name: "r"\n  type: "ReLU"\n  bottom: "x"\n  top: "x"\n}  # c\n'
OLD = "layers { name: 'r' type: RELU bottom: 'x' top: 'x' }  # c\n"


@pytest.fixture
def messy(folder):
    path = folder / "messy.prototxt"
    path.write_text(MESSY)
    return path


def test_fmt_writes(call, messy):
    assert call("fmt", "messy.prototxt").exit_code == 0
    assert messy.read_text() == NEAT
    assert "already" in call("fmt", "messy.prototxt").stderr


def test_fmt_check_and_diff_write_nothing(call, messy):
    result = call("fmt", "--check", "messy.prototxt")
    assert (result.exit_code, result.stdout) == (1, "would change messy.prototxt\n")
    result = call("fmt", "--diff", "messy.prototxt")
    assert result.exit_code == 0
    assert {"-name:'a'", '+name: "a"', "+layer {"} <= set(result.stdout.splitlines())
    assert messy.read_text() == MESSY


def test_fmt_leaves_broken_files_and_goes_on(call, folder, messy):
    broken = folder / "broken.prototxt"
    broken.write_text("layer {")
    result = call("fmt", "broken.prototxt", "messy.prototxt", "nothing.prototxt")
    assert result.exit_code == 1
    assert broken.read_text() == "layer {"
    assert messy.read_text() == NEAT
    assert "N101" in result.stderr


def test_fmt_stdin():
    command = [sys.executable, "-m", "netdef", "fmt", "-"]
    done = subprocess.run(command, input=MESSY.encode(), capture_output=True, check=True)
    assert done.stdout == NEAT.encode()
    done = subprocess.run(command, input=b"layer {", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"<stdin>:1" in done.stderr


def test_fmt_of_binary(call, folder):
    (folder / "x.caffemodel").write_bytes(b"\x0a\x01a\xa2\x06\x03\x0a\x01b")
    result = call("fmt", "x.caffemodel")
    assert result.exit_code == 1
    assert "N104" in result.stderr


def test_upgrade(call, folder):
    (folder / "old.prototxt").write_text(OLD)
    result = call("upgrade", "old.prototxt")
    assert result.exit_code == 0
    assert 'type: "ReLU"' in result.stdout
    assert "# c" in result.stdout
    assert call("upgrade", "old.prototxt", "new.prototxt").stdout == ""
    assert (folder / "new.prototxt").read_text() == result.stdout
    assert "N158" in call("upgrade", "new.prototxt", "new.prototxt").stderr


def test_upgrade_of_binary_wants_a_file(call, folder):
    (folder / "x.caffemodel").write_bytes(b"\x0a\x01a\xa2\x06\x03\x0a\x01b")
    assert call("upgrade", "x.caffemodel").exit_code == 2
    assert call("upgrade", "x.caffemodel", "y.caffemodel").exit_code == 0
    assert (folder / "y.caffemodel").exists()


def test_states(call):
    result = call("states", "net.prototxt")
    assert result.exit_code == 0
    assert call("states", "net.prototxt", "tset").exit_code == 2
    assert "from TEST" in call("states", "net.prototxt", "test").stdout


def test_deploy(call, folder):
    result = call("deploy", "net.prototxt")
    assert result.exit_code == 0
    assert 'type: "Input"' in result.stdout
    assert call("deploy", "net.prototxt", "out.prototxt").exit_code == 0
    assert (folder / "out.prototxt").read_text() == result.stdout
    assert call("deploy", "net.prototxt", "--input-shape", "data").exit_code == 2


@pytest.mark.parametrize("command", ["draw", "summary"])
def test_input_shape(call, folder, command):
    (folder / "far.prototxt").write_text(
        'layer { name: "d" type: "Data" top: "d" data_param { source: "no" batch_size: 2 } }\n'
        'layer { name: "r" type: "ReLU" bottom: "d" top: "r" }\n'
    )
    assert "17" not in call(command, "far.prototxt").stdout
    assert "17" in call(command, "far.prototxt", "--input-shape", "d=2,3,17,19").stdout
