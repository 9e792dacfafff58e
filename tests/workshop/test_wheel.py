"""The wheel and the sdist build, and the wheel alone trains and draws in an empty environment."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

NET = """
name: "tiny"
layer {
  name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param {
    shape { dim: 6 dim: 3 } shape { dim: 6 dim: 2 }
    data_filler { type: "gaussian" } data_filler { type: "constant" value: 0.5 }
  }
}
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = """
net: "tiny.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 20 display: 10
snapshot_prefix: "tiny" random_seed: 1
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the sdist, and the wheel made from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


def test_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name.startswith("netdef_prototxt-")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    inside = {name for name in names if name.startswith("netdef/")}
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "netdef").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == source
    assert {"netdef/py.typed", "netdef/schema/netdef_pb2.pyi"} <= inside
    assert any(name.endswith(".lark") for name in inside)
    assert all(".dist-info/" in name for name in names - inside)


def test_sdist_holds_what_the_tests_need(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "LICENSE",
        "Makefile",
        "README.md",
        "models/digits/digits.csv.gz",
        "proto/netdef.proto",
        "tests/workshop/test_wheel.py",
    } <= names


@pytest.mark.slow
def test_wheel_trains_and_draws_in_an_empty_environment(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", venv, cwd=tmp_path)
    binaries = venv / ("Scripts" if sys.platform == "win32" else "bin")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(binaries / "python", *pip, wheel, cwd=tmp_path)  # no extras: they must not be needed

    work = tmp_path / "work"
    work.mkdir()
    (work / "tiny.prototxt").write_text(NET)
    (work / "solver.prototxt").write_text(SOLVER)

    where = run(binaries / "python", "-c", "import netdef; print(netdef.__file__)", cwd=work)
    assert Path(where.strip()).is_relative_to(venv)
    run(binaries / "netdef", "train", "tiny.prototxt", "solver.prototxt", cwd=work)
    assert (work / "tiny_iter_20.caffemodel").stat().st_size > 0
    assert (work / "tiny_iter_20.solverstate").exists()
    drawing = run(binaries / "netdef", "draw", "tiny.prototxt", cwd=work)
    assert all(name in drawing for name in ("tiny", "data", "InnerProduct", "loss"))
