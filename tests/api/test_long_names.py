"""Files named in a prototxt that no system could hold: a mistake like any missing file."""

from __future__ import annotations

from pathlib import Path

import pytest

import netdef

LONG = "x" * 5000

LAYERS = {
    "Data": 'data_param { source: "@" batch_size: 2 backend: LMDB }',
    "LevelDB": 'data_param { source: "@" batch_size: 2 backend: LEVELDB }',
    "HDF5Data": 'hdf5_data_param { source: "@" batch_size: 2 }',
    "ImageData": 'image_data_param { source: "@" batch_size: 2 }',
    "WindowData": 'window_data_param { source: "@" batch_size: 2 crop_size: 8 }',
}


@pytest.mark.parametrize("kind", LAYERS)
def test_sources(tmp_path: Path, kind: str) -> None:
    settings = LAYERS[kind].replace("@", LONG)
    name = "Data" if kind == "LevelDB" else kind
    path = tmp_path / "net.prototxt"
    path.write_text(
        f'layer {{ name: "d" type: "{name}" top: "data" top: "label" {settings} }}\n'
        'layer { name: "r" type: "ReLU" bottom: "data" top: "y" }\n'
    )
    assert len(netdef.check(path))
    with pytest.raises(netdef.NetdefError):
        netdef.load(path)


@pytest.mark.parametrize(
    "fields",
    [
        'net: "@" base_lr: 0.1 lr_policy: "fixed" max_iter: 1',
        'train_net: "@" test_net: "@" base_lr: 0.1 lr_policy: "fixed" max_iter: 1',
        'net: "net.prototxt" weights: "@" base_lr: 0.1 lr_policy: "fixed" max_iter: 1',
        'net: "net.prototxt" snapshot_prefix: "@" base_lr: 0.1 lr_policy: "fixed" max_iter: 1',
    ],
)
def test_solvers(tmp_path: Path, fields: str) -> None:
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "d" type: "DummyData" top: "x" '
        "dummy_data_param { shape { dim: 2 dim: 3 } } }\n"
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
        "inner_product_param { num_output: 3 } }\n"
        'layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "x" top: "loss" }\n'
    )
    path = tmp_path / "solver.prototxt"
    path.write_text(fields.replace("@", LONG))
    netdef.check(path)
    with pytest.raises(netdef.NetdefError):
        netdef.load_solver(path).solve()


def test_files_given_by_name(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }\n'
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
        "inner_product_param { num_output: 3 } }\n"
    )
    assert not netdef.check(LONG).ok
    with pytest.raises(netdef.NetdefError):
        netdef.load(LONG)
    net = netdef.load(tmp_path / "net.prototxt")
    with pytest.raises(netdef.NetdefError):
        net.copy_from(LONG)
    with pytest.raises(netdef.NetdefError):
        net.save(f"{LONG}.caffemodel")
