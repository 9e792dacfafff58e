"""Two nets drawn as one."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from netdef import view
from netdef.view import palette, rails
from netdef.view.chart import chart
from netdef.view.compare import compare

_spec = importlib.util.spec_from_file_location(
    "view_reading", Path(__file__).with_name("reading.py")
)
assert _spec is not None
assert _spec.loader is not None
reading = sys.modules.setdefault("view_reading", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(reading)


def net(text):
    return reading.compiled(text)[0]


def layer(name, kind, bottom="", extra="", top=""):
    read = f'bottom: "{bottom}"' if bottom else ""
    return f'layer {{ name: "{name}" type: "{kind}" {read} top: "{top or name}" {extra} }}\n'


def dense(name, bottom, outputs):
    return layer(name, "InnerProduct", bottom, f"inner_product_param {{ num_output: {outputs} }}")


DATA = layer("x", "Input", extra="input_param { shape { dim: 2 dim: 3 } }")
BEFORE = DATA + dense("a", "x", 4) + dense("b", "a", 5) + dense("c", "b", 6)


def signs(one, other):
    return {item.name: item.change for item in compare(net(one), net(other)).items}


def test_a_net_and_itself():
    whole = compare(net(BEFORE), net(BEFORE))
    assert not any(item.change for item in whole.items)
    assert whole.edges == chart(net(BEFORE)).edges
    assert "nothing changed" in view.draw(net(BEFORE), net(BEFORE), width=100)


def test_added_removed_and_changed():
    after = DATA + dense("a", "x", 7) + dense("c", "a", 6) + dense("d", "c", 2)
    assert signs(BEFORE, after) == {"x": "", "a": "~", "b": "-", "c": "~", "d": "+"}
    text = view.draw(net(BEFORE), net(after), format="rails", width=100)
    assert "inner_product_param.num_output 4 → 7" in text
    assert "no longer reads b" in text
    assert "now reads a" in text
    assert "1 added, 1 removed, 2 changed" in text
    rows = {line.split()[-1]: line[0] for line in text.splitlines()}
    found = {
        m[1]: line[0] for line in text.splitlines() if (m := re.search(r"[●▼○]\D*? (\w) ", line))
    }
    assert found == {"x": " ", "a": "~", "b": "-", "c": "~", "d": "+"}, rows


def test_it_shows_the_wires_of_both():
    after = DATA + dense("a", "x", 4) + dense("c", "a", 6)
    whole = compare(net(BEFORE), net(after))
    names = [item.name for item in whole.items]
    assert {(names[a], names[b]) for a, b in whole.edges} == {
        ("x", "a"), ("a", "b"), ("b", "c"), ("a", "c"),
    }  # fmt: skip


def test_what_is_in_place():
    relu = layer("r", "ReLU", "a", top="a")
    leaky = layer("r", "ReLU", "a", "relu_param { negative_slope: 0.1 }", top="a")
    base, plain = DATA + dense("a", "x", 4), DATA + dense("a", "x", 4) + relu
    assert signs(base, plain)["a"] == "~"
    assert "nothing in place → +ReLU" in view.draw(net(base), net(plain), width=100)
    text = view.draw(net(plain), net(base + leaky), width=100)
    assert "r: relu_param.negative_slope not set → 0.1" in text


def test_layers_in_another_order():
    one = DATA + dense("a", "x", 4) + dense("b", "x", 4)
    other = DATA + dense("b", "x", 4) + dense("a", "b", 4)
    whole = compare(net(one), net(other))
    assert all(source < index for index, i in enumerate(whole.items) for source in i.sources)


@pytest.mark.parametrize("seed", range(60))
def test_random_pairs_are_drawn_with_all_wires(seed):
    first = reading.random_net(2 * seed)
    second = reading.random_net(2 * seed + 1)
    whole = compare(first, second)
    assert {i.name for i in whole.items} == {n.name for side in (first, second) for n in side.nodes}
    text = palette.join(rails.draw(whole, 200, batch=True), color=False)
    names = [item.name for item in whole.items]
    text = "\n".join(" " + line[1:] for line in text.splitlines())  # without + - ~
    assert reading.rails_edges(text, names) == whole.edges, text


@pytest.mark.parametrize("format", view.FORMATS)
def test_every_format(format):
    after = DATA + dense("a", "x", 7) + dense("d", "a", 2)
    text = view.draw(net(BEFORE), net(after), format=format, color=False)
    assert "b" in text
    assert "d" in text


def test_colours():
    after = DATA + dense("a", "x", 7) + dense("d", "a", 2)
    text = view.draw(net(BEFORE), net(after), color=True)
    assert "\033[1;32m" in text
    assert "\033[9;31m" in text
