"""A piece of a net, and a net to a depth of names."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from netdef import view
from netdef.view import blocks, fold, palette, part, rails
from netdef.view.chart import chart

_spec = importlib.util.spec_from_file_location(
    "view_reading", Path(__file__).with_name("reading.py")
)
assert _spec is not None
assert _spec.loader is not None
reading = sys.modules.setdefault("view_reading", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(reading)

GOOGLENET = reading.GOLDEN / "googlenet.prototxt"


@pytest.fixture(scope="module")
def whole():
    return chart(*reading.golden(GOOGLENET))


def names(shown):
    return [item.name for item in shown.items]


class TestPart:
    def test_from(self, whole):
        shown = part.cut(whole, start=["pool5/7x7_s1"])
        assert names(shown) == ["pool5/7x7_s1", "loss3/classifier", "prob"]

    def test_to(self, whole):
        assert names(part.cut(whole, end=["pool1/norm1"])) == [
            "data", "conv1/7x7_s2", "pool1/3x3_s2", "pool1/norm1",
        ]  # fmt: skip

    def test_between(self, whole):
        shown = part.cut(whole, ["inception_3a/5x5_reduce"], ["inception_3a/output"])
        assert names(shown) == [
            "inception_3a/5x5_reduce", "inception_3a/5x5", "inception_3a/output",
        ]  # fmt: skip
        assert shown.edges == {(0, 1), (1, 2)}

    def test_around(self, whole):
        shown = part.cut(whole, around=["inception_3a/5x5"])
        assert names(shown) == [
            "pool2/3x3_s2", "inception_3a/5x5_reduce", "inception_3a/5x5", "inception_3a/output",
            "inception_3b/1x1", "inception_3b/3x3_reduce", "inception_3b/5x5_reduce",
            "inception_3b/pool",
        ]  # fmt: skip

    def test_what_is_cut_off_is_told(self, whole):
        shown = part.cut(whole, ["inception_3a/5x5_reduce"], ["inception_3a/output"])
        assert "reads pool2/3x3_s2, not shown" in shown.items[0].notes
        assert any("inception_3a/1x1" in note for note in shown.items[2].notes)
        assert any("read by inception_3b/1x1" in note for note in shown.items[2].notes)
        assert "reads" not in " ".join(shown.items[1].notes)

    def test_a_layer_in_place_stands_for_its_item(self, whole):
        assert names(part.cut(whole, end=["conv1/relu_7x7"])) == ["data", "conv1/7x7_s2"]

    def test_an_unknown_name(self, whole):
        with pytest.raises(view.NoSuchLayer, match=r"`prop`: did you mean `prob`\?"):
            part.cut(whole, start=["prop"])

    def test_the_footer_says_how_much(self):
        net, _ = reading.golden(GOOGLENET)
        text = view.draw(net, format="rails", start=["pool5/7x7_s1"], width=100)
        assert "3 of 85 rows shown" in text

    @pytest.mark.parametrize("format", view.FORMATS)
    def test_every_format(self, format):
        net, _ = reading.golden(GOOGLENET)
        text = view.draw(net, format=format, around=["pool5/7x7_s1"], width=100)
        assert "loss3/classifier" in text
        assert "conv1" not in text

    @pytest.mark.parametrize("seed", range(40))
    def test_a_part_has_the_edges_inside_it(self, seed):
        whole = chart(reading.random_net(seed, 14))
        middle = whole.items[seed % 14].name
        shown = part.cut(whole, around=[middle])
        kept = {item.name for item in shown.items}
        inside = {(a, b) for a, b in reading.edges_of(whole) if a in kept and b in kept}
        assert reading.edges_of(shown) == inside
        text = palette.join(rails.draw(shown, 200, batch=True), color=False)
        assert reading.rails_edges(text, names(shown)) == shown.edges


class TestDepth:
    def test_one(self, whole):
        shown = fold.shallow(whole, 1)
        assert names(shown)[:6] == [
            "data", "conv1/7x7_s2", "pool1", "conv2", "pool2/3x3_s2", "inception_3a",
        ]  # fmt: skip
        assert sum(i.params for i in shown.items) == whole.params
        assert sum(i.macs or 0 for i in shown.items) == whole.macs

    def test_two_shows_all_of_two_parts(self, whole):
        assert names(fold.shallow(whole, 2)) == names(whole)

    def test_expand(self, whole):
        assert "inception_4b/5x5" in names(fold.shallow(whole, 1, ["inception_4b"]))

    def test_blobs_of_a_row_are_named_where_they_are_read(self):
        text = "".join(
            f'layer {{ name: "{name}" type: "T" {read} top: "{name}" }}'
            for name, read in (
                ("g/a", ""), ("g/b", 'bottom: "g/a"'), ("p", 'bottom: "g/a"'),
                ("q", 'bottom: "g/b"'),
            )
        )  # fmt: skip
        shown = fold.shallow(chart(reading.compiled(text)[0]), 1)
        assert names(shown) == ["g", "p", "q"]
        assert [item.reads for item in shown.items] == [(), ("g/a",), ("g/b",)]

    @pytest.mark.parametrize("path", reading.MODELS, ids=lambda p: p.stem)
    def test_rails_are_true_at_any_depth(self, path):
        whole = chart(*reading.golden(path))
        for depth in (1, 2):
            shown = fold.shallow(whole, depth)
            shown = type(shown)(shown.net, shown.items, shown.shares)
            text = palette.join(rails.draw(shown, 220, batch=True), color=False)
            assert reading.rails_edges(text, names(shown)) == shown.edges, text


class TestBlocks:
    def test_sizes_tell_blocks_apart(self):
        net, report = reading.golden(reading.GOLDEN / "resnet50.prototxt")
        text = view.draw(net, format="rails", width=110, report=report)
        assert "as res2a 128/512, stride 2" in text
        assert "as res2b ×5 256/1024" in text

    def test_norms_with_a_blob_of_their_own_are_folded(self, whole):
        shown = fold.fold(whole)
        assert next(i.fused for i in shown.items if i.name == "pool1/3x3_s2") == "+LRN"
        assert shown.hung == 2
        assert "pool1/norm1" in names(fold.fold(whole, ["pool1/norm1"]))

    def test_blocks_to_fold_by_hand(self, whole):
        found = {b.name: b for b in blocks.blocks(whole)}
        assert found["inception_3b"].about == "as inception_3a 128+192+96+64"
        assert not found["inception_3a"].repeats

    def test_expand_of_an_unknown_block(self):
        net, _ = reading.golden(GOOGLENET)
        with pytest.raises(view.NoSuchLayer, match="no block `inception_9a`"):
            view.draw(net, expand=["inception_9a"])
