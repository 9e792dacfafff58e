"""models/shapes: the README's commands lead from a folder of images to a trained net."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import netdef

pytest.importorskip("PIL")
pytest.importorskip("lmdb")

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "models/shapes/README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A folder where every command of the README was run, and what each printed."""
    folder = tmp_path_factory.mktemp("shapes")
    left = shutil.ignore_patterns("*_lmdb", "images", "snapshots", "*.txt")
    shutil.copytree(ROOT / "models/shapes", folder / "models/shapes", ignore=left)
    (block,) = re.findall(r"```sh\n(.*?)```", README, re.S)
    said = []
    for line in block.splitlines():
        words = shlex.split(line)
        start = [sys.executable, *(["-m", "netdef"] if words[0] == "netdef" else [])]
        run = subprocess.run(
            [*start, *words[1:]],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == 0, f"{line}\n{run.stderr}"
        said.append(run.stdout + run.stderr)
    return folder, said


def test_it_learns(walked, monkeypatch):
    folder, _ = walked
    monkeypatch.chdir(folder)
    weights = "models/shapes/snapshots/shapes_iter_500.caffemodel"
    with netdef.load("models/shapes/model.prototxt", weights) as net:
        scores = [float(net.forward()["accuracy"]) for _ in range(2)]
    assert np.mean(scores) >= 0.95


def test_it_says_what_an_image_shows(walked):
    _, said = walked
    best = said[-1].splitlines()[1].split()
    assert best[1] == "circle"
    assert float(best[0]) > 0.5


def test_the_set_is_told(walked):
    _, said = walked
    assert "288 records" in said[1]
    assert "72 records" in said[1]
    assert "LMDB, 288 records" in said[2]
    assert "circle  ████" in said[2]


def test_the_same_in_python(walked, monkeypatch):
    folder, _ = walked
    monkeypatch.chdir(folder)
    from netdef.api import classify, deploy
    from netdef.api.classifying import Preparation

    place = folder / "models/shapes"
    (place / "deploy.prototxt").write_text(deploy(place / "model.prototxt"))
    net = netdef.load(place / "deploy.prototxt", place / "snapshots/shapes_iter_500.caffemodel")
    prepare = netdef.io.Preprocess(
        net.blobs["data"].shape, mean=128, scale=1 / 128, resize_to=(32, 32)
    )
    image = place / "images/triangle/001.jpg"
    scores = net.forward(data=prepare(image))[net.outputs[0]][0]
    found = netdef.io.top_k(scores, 3, labels=["circle", "square", "triangle"])
    assert found[0][0] == "triangle"
    (told,) = classify(
        place / "model.prototxt",
        place / "snapshots/shapes_iter_500.caffemodel",
        [image],
        prepare=Preparation(resize_to=(32, 32)),
        labels=["circle", "square", "triangle"],
        top=3,
    )
    assert [name for name, _ in told.classes] == [name for name, _ in found]
    np.testing.assert_allclose([s for _, s in told.classes], [s for _, s in found], atol=1e-5)


def test_the_readme_names_every_file():
    files = [p.name for p in (ROOT / "models/shapes").iterdir() if p.suffix in (".py", ".prototxt")]
    assert [name for name in files if f"`{name}`" not in README] == []


def test_the_net_checks_clean(walked, monkeypatch):
    folder, _ = walked
    monkeypatch.chdir(folder)
    for name in ("model", "solver"):
        assert not list(netdef.check(f"models/shapes/{name}.prototxt").errors)


def test_the_first_page_walks_the_same_way():
    (block,) = re.findall(r"```sh\n(.*?)```", README, re.S)
    page = (ROOT / "README.md").read_text("utf-8").splitlines()
    for line in block.splitlines():
        assert any(other.startswith(line) for other in page), line
