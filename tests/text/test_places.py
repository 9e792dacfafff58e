from __future__ import annotations

import pytest

from netdef.diag import Report, Source
from netdef.text import SpanMap, parse_into, parse_tree
from netdef.text.tree import comments

TEXT = """i32: 5
str:  "a"  # one
      'b'
msg {
  a: -0x1f, f: [1, 2.5]
  child < s: "x" > f: 3
}
r_msg: [{ a: 1 }, <>]
r_msg { a: 2 }
Grp { g: 1 }
[tf.ext_i]: 4
m_si { key: "k" value: 1 }
"""


@pytest.fixture
def places(new) -> SpanMap:
    return parse_into(TEXT, new(), "net.prototxt")


VALUES = {
    ("i32",): "5",
    ("str",): "\"a\"  # one\n      'b'",
    ("msg", "a"): "-0x1f",
    ("msg", "f", 0): "1",
    ("msg", "f", 1): "2.5",
    ("msg", "f", 2): "3",
    ("msg", "child"): '< s: "x" >',
    ("msg", "child", "s"): '"x"',
    ("r_msg", 0): "{ a: 1 }",
    ("r_msg", 0, "a"): "1",
    ("r_msg", 1): "<>",
    ("r_msg", 2, "a"): "2",
    ("grp", "g"): "1",
    ("[tf.ext_i]",): "4",
    ("m_si", 0, "key"): '"k"',
}


@pytest.mark.parametrize("path", VALUES, ids=str)
def test_value(places, path):
    assert places.value(path).text == VALUES[path]
    assert path in set(places.paths())


NAMES = {
    ("i32",): ("i32", "i32: 5"),
    ("msg", "f", 1): ("f", "f: [1, 2.5"),
    ("r_msg", 1): ("r_msg", "r_msg: [{ a: 1 }, <>"),
    ("grp",): ("Grp", "Grp { g: 1 }"),
    ("[tf.ext_i]",): ("[tf.ext_i]", "[tf.ext_i]: 4"),
}


@pytest.mark.parametrize("path", NAMES, ids=str)
def test_name_and_field(places, path):
    name, field = NAMES[path]
    assert places.name(path).text == name
    assert places.field(path).text == field


def test_a_span_knows_its_line(places):
    span = places.value(("msg", "f", 2))
    assert (str(span), tuple(span.finish)) == ("net.prototxt:6:23", (6, 24))


@pytest.mark.parametrize("path", [("u32",), ("msg", "s"), ("r_msg", 3), ("i32", 0), ("i32", "x")])
def test_what_was_not_written_has_no_place(places, path):
    assert places.value(path) is places.name(path) is places.field(path) is None


def test_find_gives_the_nearest_message_around(places):
    assert places.find(("msg", "child", "a")).text == '< s: "x" >'
    assert places.find(("msg", "child", "child", "child", "a")).text == '< s: "x" >'
    assert places.find(("i32",)).text == "5"
    assert str(places.find(("u32",))) == "net.prototxt:1:1"


def test_a_repeated_field_without_index_is_its_first(places):
    assert places.value(("r_msg",)).text == "{ a: 1 }"
    assert places.value(("r_msg", "a")).text == "1"


def test_aliases(places):
    moved = places.with_aliases({("layer", 0): ("r_msg", 2), ("layer", 0, "b"): ("msg", "child")})
    assert moved.value(("layer", 0, "a")).text == "2"
    assert moved.value(("layer", 0, "b", "s")).text == '"x"'  # the longest prefix counts
    assert moved.find(("layer", 0, "zzz", 3)).text == "{ a: 2 }"
    assert moved.value(("i32",)).text == "5"
    again = moved.with_aliases({("net", "first"): ("layer", 0)})
    assert again.value(("net", "first", "a")).text == "2"
    assert places.value(("layer", 0)) is None


PATHS = {
    "param[1].lr_mult": ("param", 1, "lr_mult"),
    "name": ("name",),
    "layer[3].hdf5_data_param.source": ("layer", 3, "hdf5_data_param", "source"),
    "bottom[0]": ("bottom", 0),
    "[tf.ext_i]": ("[tf.ext_i]",),
    "": (),
}


@pytest.mark.parametrize("dotted", PATHS)
def test_parse(dotted):
    assert SpanMap.parse(dotted) == PATHS[dotted]


@pytest.mark.parametrize("dotted", ["a..b", ".a", "a.", "a[x]", "a[1", "a b"])
def test_parse_refuses(dotted):
    with pytest.raises(ValueError, match="no field path"):
        SpanMap.parse(dotted)


def test_an_empty_message_is_there(new):
    message = new()
    places = parse_into("msg {}", message)
    assert message.HasField("msg")
    assert list(places.paths()) == [("msg",)]


def test_tree_keeps_order_and_comments():
    source = Source("t", "# top\na: 1  # after\nb { c: '#' }\n")
    tree = parse_tree(source, Report())
    assert [type(item).__name__ for item in tree.items] == ["FieldToken", "Block"]
    assert [source.text[start:end] for start, end in comments(source.text)] == ["# top", "# after"]
