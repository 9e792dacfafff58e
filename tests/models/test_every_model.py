"""What holds for each net of `models/`: it loads, checks, draws and has its README's size."""

from __future__ import annotations

from pathlib import Path

import pytest

import netdef
from netdef.diag import Severity

ROOT = Path(__file__).resolve().parents[2]

PARAMETERS = {
    "digits/model": 46_680,
    "digits/deploy": 46_680,
    "siamese/deploy": 1_280,
    "siamese/train": 1_342,
    "signal/one_hidden": 49,
    "signal/two_hidden": 321,
    "signal/two_hidden_xavier": 321,
    "three_conv/model": 1_345_698,
}


# The zoo and the shapes have tests of their own.
FILES = sorted(
    p for p in ROOT.glob("models/*/*.prototxt") if p.parent.name not in ("zoo", "shapes")
)


def test_the_table_names_every_net():
    files = {path.relative_to(ROOT / "models") for path in FILES}
    nets = {str(path.with_suffix("")) for path in files if "solver" not in path.stem}
    assert nets == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("phase", ["train", "test"])
def test_loads_with_its_parameters(tree, name, phase):
    net = netdef.load(f"models/{name}.prototxt", phase=phase)

    # Sharers show the same array: counted once by where it lies.
    arrays = {
        blob.data.__array_interface__["data"][0]: blob.data.size
        for blobs in net.params.values()
        for blob in blobs
    }
    assert sum(arrays.values()) == PARAMETERS[name]


@pytest.mark.parametrize(
    "path",
    FILES,
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_checks_clean(tree, path):
    report = netdef.check(str(path.relative_to(ROOT)))
    # The siamese nets get a note: Caffe would refuse their multipliers. The net that stands
    # still is there to show what its fillers do.
    expected = ["N706"] if path.stem == "two_hidden" else []
    found = [p.code for p in report if p.severity is not Severity.NOTE]
    assert sorted(set(found)) == expected


@pytest.mark.parametrize("name", PARAMETERS)
def test_drawing(tree, golden, name):
    net = netdef.load(f"models/{name}.prototxt")

    drawing = netdef.draw(net, width=100)

    # A layer that works in place may be folded into the one before.
    shown = [layer.name for layer in net.layers if set(layer.tops).isdisjoint(layer.bottoms)]
    assert [name for name in shown if name not in drawing] == []
    golden(ROOT / "tests/golden/models" / f"{name.replace('/', '_')}.txt", drawing + "\n")


@pytest.mark.parametrize("name", sorted({name.partition("/")[0] for name in PARAMETERS}))
def test_readme_names_every_file(name):
    folder = ROOT / "models" / name
    readme = (folder / "README.md").read_text("utf-8")
    files = [path.name for path in folder.iterdir() if path.suffix in {".prototxt", ".py", ".gz"}]
    assert [file for file in files if file not in readme] == []
