from __future__ import annotations

import json

import numpy as np
import pytest

PIL = pytest.importorskip("PIL.Image")
pytest.importorskip("lmdb")

DATA = """layer {
  name: "data" type: "Data" top: "data" top: "label"
  data_param { source: "out" backend: LMDB batch_size: 3 }
}
layer { name: "drop" type: "Silence" bottom: "label" }
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 }
}
"""


@pytest.fixture
def pictures(folder):
    """Images of two classes, all 5 by 6."""
    random = np.random.default_rng(1)
    for name in ("cat", "dog"):
        (folder / "in" / name).mkdir(parents=True)
        for number in range(4):
            image = random.integers(0, 256, (5, 6, 3), np.uint8)
            PIL.fromarray(image).save(folder / "in" / name / f"{number}.png")
    return folder / "in"


def test_help_lists_the_commands(call):
    result = call("dataset")
    for name in ("images", "mnist", "cifar", "csv", "mean", "info", "verify"):
        assert f"\n  {name} " in result.output
        assert call("dataset", name, "--help").exit_code == 0


def test_the_lists_lines_are_the_commands_own():
    from netdef.cli.dataset import COMMANDS, dataset

    for name, line in COMMANDS.items():
        assert dataset.get_command(None, name).short_help == line


def test_a_misspelt_command(call):
    result = call("dataset", "imges")
    assert result.exit_code == 2
    assert "there is no command `dataset imges`: did you mean `images`?" in result.output


def test_images_info_verify(call, pictures):
    result = call("dataset", "images", pictures, "out", "--shuffle")
    assert result.exit_code == 0, result.output
    assert "out: 8 records" in result.output
    assert "out.labels.txt: 2 classes: cat, dog" in result.output
    result = call("dataset", "info", "out", "--sheet", "sheet.png")
    assert "out: LMDB, 8 records, 8 of them image files" in result.output
    assert "shape   3×5×6\n" in result.output
    assert "cat  ████" in result.output
    with PIL.open("sheet.png") as sheet:
        assert sheet.size == (804, 118)
    found = json.loads(call("dataset", "info", "out", "--json").stdout)
    assert found["records"] == 8
    assert found["labels"][1] == {"label": 1, "name": "dog", "count": 4}
    result = call("dataset", "verify", "out", "--classes", "2", "--same-size")
    assert (result.exit_code, result.output) == (0, "out: 8 records, all good\n")
    result = call("dataset", "verify", "out", "--classes", "1")
    assert result.exit_code == 1
    assert "has the label 1, labels are from 0 to 0" in result.output
    assert result.output.endswith("out: 8 records, 4 broken\n")


def test_samples_in_the_terminal(call, pictures, monkeypatch):
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    result = call("dataset", "info", pictures, "--show")
    assert result.output.count("▀") == 8 * 20 * 10


def test_broken_records_are_named(call, pictures):
    (pictures / "dog/1.png").write_bytes(b"\x89PNG nothing")
    result = call("dataset", "images", pictures, "out")
    assert result.exit_code == 1
    assert "dog/1.png` holds an image that cannot be decoded" in result.output
    result = call("dataset", "images", pictures, "out", "--skip-bad", "1")
    assert "out: 7 records" in result.output
    assert "left out dog/1.png" in result.output
    call("dataset", "images", pictures, "all", "--no-check")
    result = call("dataset", "verify", "all")
    assert result.exit_code == 1
    assert "all: `00000005_dog/1.png` holds an image that cannot be decoded" in result.output


def test_a_damaged_database(call, pictures, folder):
    plyvel = pytest.importorskip("plyvel")
    call("dataset", "images", pictures, "out", "--backend", "leveldb", "--encode", "raw")
    plyvel.DB("out").close()  # brings the log into a table
    for table in (folder / "out").glob("*.ldb"):
        data = bytearray(table.read_bytes())
        data[50] ^= 1
        table.write_bytes(data)
    result = call("dataset", "verify", "out")
    assert result.exit_code == 1
    assert "`out` is corrupt: the checksum of a block of `" in result.output


def test_interrupted(call, pictures, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("netdef.data.building._finish", stop)
        result = call("dataset", "images", pictures, "out")
    assert result.exit_code == 130
    assert "the same command goes on where this one was" in result.output
    assert "8 records, 8 of them from before" in call("dataset", "images", pictures, "out").output


def test_skip_bad_while_a_net_runs(call, folder, pictures):
    (pictures / "dog/1.png").write_bytes(b"\x89PNG nothing")
    call("dataset", "images", pictures, "out", "--no-check")
    (folder / "m.prototxt").write_text(DATA)
    result = call("test", "m.prototxt", "--weights", "", "--iterations", "3")
    assert "record `00000005_dog/1.png` of" in result.output
    result = call("test", "m.prototxt", "--weights", "", "--iterations", "3", "--skip-bad", "1")
    assert result.exit_code == 0, result.output
    assert "skipped 1 broken record:\n  `00000005_dog/1.png` of `out`" in result.output


def test_mean(call, pictures):
    result = call("dataset", "mean", pictures, "mean.npy")
    assert result.output.startswith("mean.npy: 3×5×6\n  mean_value: ")
    assert result.output.count("mean_value") == 3


def test_csv(call, folder):
    (folder / "t.csv").write_text("x,y,kind\n1,2,a\n3,4,b\n")
    result = call("dataset", "csv", "t.csv", "t.h5", "--label", "kind", "--shape", "1,1,2")
    assert result.exit_code == 0, result.output
    assert "t.h5, t.txt: 2 records" in result.output
    assert "shape   1×1×2" in call("dataset", "info", "t.txt").output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["images", "in", "o", "--resize", "a"], "a size is 256, or 240x320"),
        (["images", "in", "o", "--resize", "4", "--short-side", "3"], "do not go together"),
        (["csv", "t", "o", "--shape", "3,4"], "a shape is 1,28,28"),
    ],
)
def test_usage(call, words, text):
    result = call("dataset", *words)
    assert result.exit_code == 2
    assert text in result.output


@pytest.mark.parametrize("what", ["info", "verify"])
def test_no_set(call, folder, what):
    (folder / "x.bin").write_bytes(bytes(range(256)))
    assert "`nothing` does not exist" in call("dataset", what, "nothing").output
    result = call("dataset", what, "x.bin")
    assert result.exit_code == 1
    assert "is no data set that netdef knows" in result.output
