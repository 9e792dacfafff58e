"""What a drawing folds, marks, counts and leaves out; the tables; the speed."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import time
from dataclasses import replace

import pytest

from netdef import view
from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text
from netdef.view import cells, chart, fold, lanes, words


def compiled(text, phase=Phase.TRAIN):
    report = Report()
    document = net_from_text(text, "net.prototxt", report)
    assert document is not None
    return compile_net(document, State(phase), report, looking=True), report


def layer(name, type_name, bottoms=(), tops=None, extra=""):
    fields = [f'bottom: "{b}"' for b in bottoms]
    fields += [f'top: "{t}"' for t in ([name] if tops is None else tops)]
    return f'layer {{ name: "{name}" type: "{type_name}" {" ".join(fields)} {extra} }}\n'


def source(name, *dims):
    shape = " ".join(f"dim: {d}" for d in dims)
    return layer(name, "Input", extra=f"input_param {{ shape {{ {shape} }} }}")


def dense(name, bottom, outputs, extra="", top=None):
    settings = f"inner_product_param {{ num_output: {outputs} }} {extra}"
    return layer(name, "InnerProduct", [bottom], [top or name], settings)


SIAMESE = (
    source("a", 7, 10)
    + source("b", 7, 10)
    + dense("left", "a", 4, 'param { name: "w" lr_mult: 1 } param { name: "c" lr_mult: 2 }')
    + dense("right", "b", 4, 'param { name: "w" lr_mult: 10 } param { name: "c" lr_mult: 20 }')
    + layer("both", "Concat", ["left", "right"])
)


class TestCells:
    def test_width_of_wide_and_combining_characters(self):
        assert cells.width("a×│") == 3
        assert cells.width("層") == 2
        assert cells.width("e\u0301") == 1

    def test_shorten_keeps_both_ends(self):
        short = cells.shorten("inception_3a/5x5_reduce", 12)
        assert cells.width(short) == 12
        assert short.startswith("ince")
        assert short.endswith("_reduce")

    def test_shortened_names_stay_apart(self):
        names = [f"block_{i}_with_the_same_tail" for i in range(30)]
        short = cells.shorten_all(names, 10)
        assert len(set(short.values())) == 30
        assert all(cells.width(s) <= 10 for s in short.values())

    def test_wrap_cuts_what_is_longer_than_a_line(self):
        assert cells.wrap("ab abcdefgh c", 4) == ["ab", "abcd", "efgh", "c"]


class TestWords:
    @pytest.mark.parametrize(
        ("number", "text"),
        [(0, "0"), (999, "999"), (9500, "9.5K"), (999_999, "1.0M"), (118_013_952, "118.0M")],
    )
    def test_count(self, number, text):
        assert words.count(number) == text

    @pytest.mark.parametrize(
        ("number", "text"), [(212, "212 B"), (2048, "2.0 KiB"), (1024**3 * 3, "3.0 GiB")]
    )
    def test_size(self, number, text):
        assert words.size(number) == text


class TestLanes:
    def test_nested_skips_do_not_cross(self):
        # 0 is skipped over by 1..4, 1 by 2..3
        steps = lanes.lay([[], [0], [1], [1, 2], [0, 3]], 10)
        merges = [s for s in steps if isinstance(s, lanes.Merge)]
        assert [(m.lane, set(m.others)) for m in merges] == [(1, {2}), (0, {1})]

    def test_what_ends_early_goes_to_the_right(self):
        steps = lanes.lay([[], [0], [0], [2], [3]], 10)
        lane = {s.item: s.lane for s in steps if isinstance(s, lanes.Dot)}
        assert lane == {0: 0, 1: 1, 2: 0, 3: 0, 4: 0}

    def test_a_lane_is_used_again(self):
        steps = lanes.lay([[], [0], [0], [1, 2], [3], [3], [4, 5]], 10)
        assert max(s.lane for s in steps) == 1

    def test_what_finds_no_lane_is_named(self):
        sources = [[] for _ in range(6)] + [[0, 1, 2, 3, 4, 5]]
        dots = [s for s in lanes.lay(sources, 3) if isinstance(s, lanes.Dot)]
        assert dots[-1].named == (3, 4, 5)


class TestFolding:
    def test_in_place_layers_hang_at_their_producer(self):
        net, _ = compiled(
            source("x", 2, 3)
            + dense("ip", "x", 4)
            + layer("r", "ReLU", ["ip"], ["ip"])
            + layer("d", "Dropout", ["ip"], ["ip"])
        )
        items = chart.chart(net).items
        assert [(i.name, i.fused) for i in items] == [("x", ""), ("ip", "+ReLU+Dropout")]

    def test_a_layer_in_place_stays_where_others_read_the_blob_before_it(self):
        net, _ = compiled(
            source("x", 2, 3)
            + dense("ip", "x", 4)
            + dense("other", "ip", 2)
            + layer("r", "ReLU", ["ip"], ["ip"])
        )
        assert [i.name for i in chart.chart(net).items] == ["x", "ip", "other", "r"]

    def test_normalizing_layers_are_abbreviated(self):
        net, _ = compiled(
            source("x", 2, 3, 5, 5)
            + layer("ip", "Flatten", ["x"])
            + layer("bn", "BatchNorm", ["ip"], ["ip"])
            + layer("sc", "Scale", ["ip"], ["ip"])
        )
        assert chart.chart(net).items[1].fused.replace("?", "") == "+BN+Sc"

    def test_a_mistake_that_many_layers_make_is_told_once(self):
        text = source("x", 2, 3) + "".join(layer(f"y{i}", "Nonsense", ["x"]) for i in range(3))
        net, report = compiled(text)
        drawn = view.draw(net, format="rails", report=report)
        assert drawn.count("N201") == 1
        assert drawn.count("✗") == 3

    def blocks(self, count, sizes=None):
        text, prev = source("x", 2, 8), "x"
        for i in range(count):
            size = 8 if sizes is None else sizes[i]
            name = f"res{i}"
            text += dense(f"{name}_a", prev, size) + dense(f"{name}_b", prev, size)
            text += layer(name, "Eltwise", [f"{name}_a", f"{name}_b"])
            prev = name
        return compiled(text + dense("out", prev, 3))[0]

    def test_equal_blocks_become_one_bracket(self):
        shown = fold.fold(chart.chart(self.blocks(12)))
        assert [b.times for b in shown.brackets] == [12]
        assert shown.brackets[0].name == "res0 … res11"
        assert len(shown.items) == 5

    def test_blocks_of_other_sizes_become_rows(self):
        shown = fold.fold(chart.chart(self.blocks(4, [8, 9, 10, 11])))
        assert [i.name for i in shown.items if i.folded] == ["res1 … res3"]
        assert next(i for i in shown.items if i.folded).kind == "as res0 ×3"

    def test_expand(self):
        whole = chart.chart(self.blocks(4, [8, 9, 10, 11]))
        assert not any(i.folded for i in fold.fold(whole, ["all"]).items)
        shown = fold.fold(whole, ["res2"])
        assert [i.name for i in shown.items if i.folded] == ["res1", "res3"]

    def test_no_block_where_its_inside_is_read_from_outside(self):
        net, _ = compiled(
            source("x", 2, 8)
            + "".join(dense(f"p/{c}", "x", 8) for c in "ab")
            + layer("p/sum", "Eltwise", ["p/a", "p/b"])
            + layer("late", "Eltwise", ["p/a", "p/sum"])
        )
        assert fold.bracket(chart.chart(net)).brackets == ()

    def test_params_and_macs_of_folded_blocks_are_sums(self):
        whole = chart.chart(self.blocks(4, [8, 9, 10, 11]))
        shown = fold.fold(whole)
        assert sum(i.params for i in shown.items) == sum(i.params for i in whole.items)
        assert sum(i.macs for i in shown.items) == sum(i.macs for i in whole.items) == whole.macs


class TestDrawing:
    def test_boxes_for_small_nets_rails_for_others(self):
        small, _ = compiled(SIAMESE)
        assert "┌" in view.draw(small, width=100)
        assert "●" in view.draw(small, width=40, format="rails")
        chain = source("x0", 2, 3) + "".join(dense(f"x{i + 1}", f"x{i}", 3) for i in range(14))
        assert "●" in view.draw(compiled(chain)[0])

    def test_shared_params_are_tied_and_counted_once(self):
        net, _ = compiled(SIAMESE)
        text = view.draw(net, format="rails", width=100)
        assert "┐ w 4×10" in text
        assert "┘ c 4" in text
        assert "44 parameters (176 B), 44 used twice" in text
        assert "╌╌╌" in view.draw(net, format="boxes", width=100)

    def test_a_shared_param_that_is_not_beside_is_told_in_words(self):
        net, _ = compiled(
            source("x", 2, 4)
            + dense("one", "x", 4, 'param { name: "w" }')
            + dense("two", "one", 4, 'param { name: "w" }')
        )
        assert "shares with one" in view.draw(net, format="boxes")

    def test_labels_are_notes(self):
        net, _ = compiled(
            source("x", 2, 3)
            + source("label", 2)
            + dense("ip", "x", 4)
            + layer("loss", "SoftmaxWithLoss", ["ip", "label"])
        )
        whole = chart.chart(net)
        assert whole.edges == {(0, 2), (2, 3)}
        assert "label: label" in view.draw(net, format="rails")
        assert "label: label" in view.draw(net, format="boxes")

    def test_a_label_that_is_computed_keeps_its_line(self):
        net, _ = compiled(
            source("x", 2, 3)
            + source("y", 2, 4)
            + dense("a", "x", 4)
            + dense("b", "y", 4)
            + layer("loss", "EuclideanLoss", ["a", "b"])
        )
        assert (3, 4) in chart.chart(net).edges

    def test_unknown_layers_and_bottoms(self):
        net, report = compiled(
            source("x", 2, 3) + layer("odd", "Nonsense", ["x"]) + dense("ip", "nobody", 2)
        )
        for format in ("rails", "boxes"):
            text = view.draw(net, format=format, width=100, report=report)
            assert "Nonsense ?" in text
            assert "? nobody" in text
            assert "N201" in text
            assert "(line 2)" in text
        assert "\033[1;31m" in view.draw(net, report=report, color=True)

    def test_problems_stand_under_their_layer(self):
        net, report = compiled(source("x", 2, 3) + layer("odd", "Nonsense", ["x"]))
        rows = view.draw(net, format="rails", report=report).splitlines()
        number = next(n for n, row in enumerate(rows) if "odd" in row)
        assert "✗" in rows[number]
        assert "N201" in rows[number + 1]

    def test_plain_text_has_no_escapes(self):
        net, _ = compiled(SIAMESE)
        for format in ("rails", "boxes", "ascii"):
            assert "\033" not in view.draw(net, format=format)
            colored = view.draw(net, format=format, color=True)
            assert "\033[" in colored

    def test_ascii_of_names_in_other_scripts(self):
        net, _ = compiled(source("層", 2, 3) + dense("é", "層", 2))
        assert view.draw(net, format="ascii").isascii()
        assert view.draw(net, format="rails", unicode=False).isascii()

    def test_ascii_tells_names_apart(self):
        net, _ = compiled(source("層", 2, 3) + dense("é", "層", 2))
        text = view.draw(net, format="ascii", width=100)
        assert r"\u5c64" in text
        assert " e " in text

    def test_wide_names_keep_the_columns(self):
        net, _ = compiled(source("層層", 2, 3) + dense("ip", "層層", 2))
        rows = [r for r in view.draw(net, format="rails").splitlines() if "2×" in r]
        assert len({cells.width(row[: row.index("2×")]) for row in rows}) == 1

    def test_empty_net(self):
        net, _ = compiled('name: "empty"')
        for format in view.FORMATS:
            assert "empty" in view.draw(net, format=format) or format == "mermaid"

    def test_several_blobs_of_one_layer(self):
        net, _ = compiled(
            source("x", 2, 6)
            + layer("cut", "Slice", ["x"], ["p", "q"])
            + dense("a", "p", 2)
            + dense("b", "q", 2)
        )
        assert "reads q" in view.draw(net, format="rails", width=100)
        assert "│ q 2×3" in view.draw(net, format="boxes", width=100)

    def test_unknown_format(self):
        with pytest.raises(ValueError, match="no such format"):
            view.draw(compiled(SIAMESE)[0], format="png")

    def test_the_batch_is_left_out_of_larger_nets(self):
        chain = source("x0", 5, 3) + "".join(dense(f"x{i + 1}", f"x{i}", 3) for i in range(14))
        text = view.draw(compiled(chain)[0], width=100)
        assert "batch 5" in text
        assert "5×3" not in text
        assert "126 MACs an image" in text


class TestExchange:
    def test_json_has_every_wire(self):
        net, _ = compiled(SIAMESE)
        found = json.loads(view.draw(net, format="json"))
        assert [w["blob"] for w in found["wires"]] == ["a", "b", "left", "right"]
        assert found["layers"][3]["params"][0] == {
            "name": "w",
            "role": "weight",
            "shape": [4, 10],
            "owner": "left",
        }
        assert found["parameters"] == 44

    def test_quotes_in_names(self):
        net, _ = compiled(source("x", 2, 3) + dense('a\\"b', "x", 2))
        assert r"a\"b" in view.draw(net, format="dot")
        assert "a#quot;b" in view.draw(net, format="mermaid")


class TestSummary:
    def test_rows(self):
        net, _ = compiled(SIAMESE + layer("r", "ReLU", ["both"], ["both"]))
        rows = {row.name: row for row in view.summary_rows(net)}
        assert rows["left"] == view.Row(
            "left", "InnerProduct", "→4", ((7, 4),), 44, 0, 7 * 40, 112, 0, False
        )  # and it sees nothing: there are no spatial axes
        assert (rows["right"].params, rows["right"].shared) == (0, 44)
        assert rows["r"].in_place
        assert rows["r"].bytes == 0

    def test_totals_count_shared_params_once(self):
        text = view.summary(compiled(SIAMESE)[0], width=100)
        assert "44 parameters (176 B)" in text
        assert "560 multiply-accumulates" in text

    @pytest.mark.parametrize("width", [40, 60, 80, 200])
    def test_width(self, width):
        net, _ = compiled(SIAMESE)
        for text in (view.summary(net, width=width), view.params(net, width=width, solver=0.1)):
            assert max(map(cells.width, text.splitlines())) <= width

    def test_receptive_fields(self):
        conv = "convolution_param {{ num_output: 2 kernel_size: {} stride: {} dilation: {} }}"
        net, _ = compiled(
            source("x", 1, 3, 60, 60)
            + layer("a", "Convolution", ["x"], extra=conv.format(3, 2, 1))
            + layer("b", "Convolution", ["a"], extra=conv.format(3, 1, 2))
            + layer("p", "Pooling", ["b"], extra="pooling_param { kernel_size: 2 stride: 2 }")
            + layer("r", "ReLU", ["p"])
            + layer("up", "Deconvolution", ["r"], extra=conv.format(4, 4, 1))
            + layer("c", "Convolution", ["up"], extra=conv.format(3, 1, 1))
            + dense("ip", "c", 4)
        )
        sees = {row.name: row.sees for row in view.summary_rows(net)}
        # a: 3 every 2; b: 3 + 4 * 2; p: + 1 * 2, every 4; up: a kernel of 4 with stride 4 stamps
        # each value once, so every 1; c: + 2 * 1
        assert [sees[n] for n in ("x", "a", "b", "p", "r", "up", "c")] == [
            (1, 1), (3, 3), (11, 11), (13, 13), (13, 13), (13, 13), (15, 15),
        ]  # fmt: skip
        assert sees["ip"] == (math.inf, math.inf)
        assert "15×15" in view.summary(net, receptive=True, width=120)
        assert "15×15" not in view.summary(net, width=120)

    def test_statistics_are_not_learned(self):
        net, _ = compiled(source("x", 2, 3, 4, 5) + layer("bn", "BatchNorm", ["x"]))
        assert view.summary_rows(net)[1].params == 0
        text = view.summary(net, width=120)
        assert "0 parameters" in text
        assert "7 values of statistics" in text
        assert "no parameters" in view.draw(net, format="rails")

    def test_json_and_csv(self):
        net, _ = compiled(SIAMESE)
        found = json.loads(view.summary_json(net))
        assert found["totals"]["params"] == 44
        assert found["totals"]["macs"] == 560
        assert found["layers"][2]["outputs"] == [[7, 4]]
        rows = list(csv.DictReader(io.StringIO(view.summary_csv(net))))
        assert [row["name"] for row in rows] == ["a", "b", "left", "right", "both"]
        assert (rows[2]["params"], rows[3]["shared"], rows[2]["outputs"]) == ("44", "44", "7x4")
        found = json.loads(view.params_json(net, solver=0.5))
        assert found["params"][0]["uses"][1]["lr_mult"] == 10
        assert found["params"][0]["rate"] == 5
        rows = list(csv.DictReader(io.StringIO(view.params_csv(net, solver=0.5))))
        assert [row["user"] for row in rows] == ["left", "right", "left", "right"]

    def test_an_unknown_layer_has_no_known_macs(self):
        net, _ = compiled(source("x", 2, 3) + layer("odd", "Nonsense", ["x"]))
        found = json.loads(view.summary_json(net))
        assert found["totals"]["macs"] is None
        assert found["layers"][1]["sees"] is None


class TestParams:
    def test_every_use_with_its_multipliers(self):
        net, _ = compiled(SIAMESE)
        row = view.params_rows(net, solver=0.01)[0]
        assert [(u.layer, u.lr_mult, u.scale) for u in row.uses] == [
            ("left", 1, pytest.approx(0.1)),
            ("right", 10, 1),
        ]
        assert row.rate == pytest.approx(0.1)
        assert (row.name, row.count, row.frozen) == ("w", 40, False)

    def test_frozen_and_fillers(self):
        filler = 'inner_product_param { num_output: 4 weight_filler { type: "xavier" } }'
        net, _ = compiled(
            source("x", 2, 100)
            + layer("ip", "InnerProduct", ["x"], None, f"param {{ lr_mult: 0 }} {filler}")
        )
        weight, bias = view.params_rows(net)
        assert weight.frozen
        assert not bias.frozen
        assert (weight.name, weight.filler, weight.rate) == ("ip[0]", "xavier", None)
        assert weight.std == pytest.approx(0.1)
        text = view.params(net, solver=0.5, width=120)
        assert "frozen" in text
        assert "0.5" in text

    def test_a_net_without_params(self):
        assert "no learned blobs" in view.params(compiled(source("x", 2, 3))[0])


def many(count):
    """A net of `count` layers with skips, blocks and forks, as wide as real ones get."""
    rng = random.Random(1)
    text = [source("x", 2, 8)]
    names = ["x"]
    for index in range(count - 1):
        name = f"stage{index // 50}/layer{index}"
        near = names[-6:]
        if rng.random() < 0.2 and len(near) > 1:
            text.append(layer(name, "Eltwise", rng.sample(near, 2)))
        else:
            text.append(dense(name, near[-1] if rng.random() < 0.7 else rng.choice(near), 8))
        names.append(name)
    return compiled("".join(text))


@pytest.mark.parametrize(("count", "seconds"), [(1000, 0.6), (5000, 3.0)])
def test_large_nets_draw_quickly(count, seconds):
    net, report = many(count)
    start = time.process_time()
    text = view.draw(net, width=100, report=report)
    assert time.process_time() - start < seconds
    assert text.count("\n") > count // 2


def test_drawing_does_not_change_the_net():
    net, _ = compiled(SIAMESE)
    copy = replace(net)
    view.draw(net)
    assert net == copy
