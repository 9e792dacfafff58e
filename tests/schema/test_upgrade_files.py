"""`netdef upgrade`: old files in the current syntax, with their comments, text and binary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netdef.api.texts import fmt, upgrade
from netdef.diag import NetdefError, Report
from netdef.schema import NetParameter
from netdef.schema.document import net_from_text
from netdef.schema.netdef_pb2 import V1LayerParameter
from netdef.schema.spell import spell
from netdef.schema.weights import read_weights

GOLDEN = Path(__file__).parents[1] / "golden/upgrade"


def up(data):
    report = Report()
    return upgrade("old.prototxt", report, data), report


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.prototxt")), ids=lambda p: p.stem)
def test_golden(path, golden):
    found, _ = up(path.read_bytes())
    golden(path.with_suffix(".txt"), found.after.decode())
    again, report = up(found.after)
    assert not again.changed
    assert [p.code for p in report] == ["N158"]
    if found.changed:
        assert fmt("x", found.after).after == found.after


@pytest.mark.parametrize("name", ["v0", "v1", "inputs_and_batch_norm"])
def test_means_what_is_loaded(name):
    text = (GOLDEN / f"{name}.prototxt").read_text()
    loaded = net_from_text(text, "old", Report()).message
    found, _ = up(text.encode())
    assert net_from_text(found.after.decode(), "new", Report()).message == loaded


@pytest.mark.parametrize("name", ["v0", "v1", "inputs_and_batch_norm", "solver_with_net"])
def test_no_comment_is_lost(name):
    text = (GOLDEN / f"{name}.prototxt").read_bytes()
    words = [line.partition(b"#")[2] for line in text.splitlines() if b"#" in line]
    after = up(text)[0].after
    assert all(w.strip() in after for w in words)


def test_mistakes_are_not_written_over():
    with pytest.raises(NetdefError, match="N0"):
        up(b'layers { name: "a" type: RELU colour: 1 }')


def test_binary_v1_keeps_its_values(tmp_path):
    net = NetParameter(name="old")
    layer = net.layers.add(name="ip", type=V1LayerParameter.INNER_PRODUCT, blobs_lr=[1, 2])
    layer.inner_product_param.num_output = 2
    blob = layer.blobs.add(num=1, channels=1, height=2, width=3)
    blob.data.extend(range(6))
    path = tmp_path / "old.caffemodel"
    path.write_bytes(net.SerializeToString())
    before = read_weights(path)
    found = upgrade(path, Report())
    path.write_bytes(found.after)
    now = NetParameter.FromString(found.after)
    assert (len(now.layers), now.layer[0].type) == (0, "InnerProduct")
    assert [p.lr_mult for p in now.layer[0].param] == [1, 2]
    assert np.array_equal(read_weights(path)["ip"][0], before["ip"][0])
    report = Report()
    assert not upgrade(path, report).changed
    assert [p.code for p in report] == ["N158"]


def test_binary_damage_is_told(tmp_path):
    net = NetParameter(name="old")
    net.layers.add(name="ip", type=V1LayerParameter.RELU)
    path = tmp_path / "old.caffemodel"
    path.write_bytes(net.SerializeToString()[:-3])
    with pytest.raises(NetdefError, match="damaged"):
        upgrade(path, Report())


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("lr_mult", 0.1, "0.1"),
        ("lr_mult", 1e-7, "1e-7"),
        ("lr_mult", -0.0, "-0"),
        ("lr_mult", 3.4028234663852886e38, "3.4028235e38"),
        ("lr_mult", float("inf"), "inf"),
        ("lr_mult", float("nan"), "nan"),
        ("name", 'a"b\n\x01é', '"a\\"b\\n\\001é"'),
        ("share_mode", 1, "PERMISSIVE"),
    ],
)
def test_spell(field, value, text):
    from netdef.schema import ParamSpec
    from netdef.text import parse_into

    assert spell(ParamSpec.DESCRIPTOR.fields_by_name[field], value) == text
    back = ParamSpec()
    parse_into(f"{field}: {text}", back)
    wanted = ParamSpec(**{field: value})
    assert back.SerializeToString() == wanted.SerializeToString()
