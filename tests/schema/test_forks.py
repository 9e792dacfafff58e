"""Which fork of Caffe an unknown field or type is from."""

from __future__ import annotations

from importlib.resources import files

import pytest

from netdef.schema.forks import about_field, about_type

ROWS = [
    line.split("\t")
    for line in files("netdef.schema").joinpath("forks.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def test_names_the_forks():
    assert about_field("LayerParameter", "norm_param") == (
        "`norm_param` belongs to forks of Caffe: weiliu89/caffe (SSD), Tencent/ncnn, intel/caffe "
        "and 2 more"
    )
    assert about_type("SegAccuracy") == "`SegAccuracy` belongs to a fork of Caffe: hszhao/PSPNet"


def test_v1_layers_take_them_too():
    assert about_field("V1LayerParameter", "bn_param") == about_field("LayerParameter", "bn_param")


@pytest.mark.parametrize("field", ["kernel_sise", "convolution_param", ""])
def test_knows_nothing_of_other_names(field):
    assert about_field("LayerParameter", field) is None
    assert about_type(field) is None


def test_the_table_is_sorted_and_has_no_row_twice():
    keys = [(message, name) for message, name, _ in ROWS]
    assert len(set(keys)) == len(keys)
    assert keys == [
        *sorted(k for k in keys if k[0] != "type"),
        *sorted(k for k in keys if k[0] == "type"),
    ]
