"""Every case of the text format's specification, as C++ reads it.

`cases.binpb` is `cases.proto` compiled by
`python -m grpc_tools.protoc -I. --include_imports --descriptor_set_out=cases.binpb cases.proto`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netdef.diag import NetdefError, Report, Source
from netdef.text import fill, parse_into

FOLDER = Path(__file__).parents[1] / "golden" / "textformat"
CASES = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case, new):
    message = new(case["message"])
    if case["valid"] is False:
        with pytest.raises(NetdefError) as caught:
            parse_into(case["text"], message)
        assert all(problem.line for problem in caught.value.report.errors)
    else:
        parse_into(case["text"], message)
    if "expected_wire_hex" in case:
        assert (
            message.SerializePartialToString(deterministic=True).hex()
            == (case["expected_wire_hex"])
        )


MAPS = {
    'm_si: [ { key: "a" value: 3 }, { key: "b" value: 4 } ]': {"a": 3, "b": 4},
    'm_si { key: "k" }': {"k": 0},
    "m_si {}": {"": 0},
    'm_si { key: "a" value: 1 } m_si { key: "a" value: 2 }': {"a": 2},
}


@pytest.mark.parametrize("text", MAPS)
def test_maps(text, new):
    message = new()
    parse_into(text, message)
    assert dict(message.m_si) == MAPS[text]


def test_map_of_messages_keeps_the_last(new):
    message = new()
    parse_into('m_sm { key: "a" value { a: 1 } } m_sm { key: "a" value { s: "x" } }', message)
    assert (message.m_sm["a"].HasField("a"), message.m_sm["a"].s) == (False, "x")


def test_any_is_packed(new):
    message = new()
    parse_into("any { [type.googleapis.com/tf.Inner] { a: 5 } }", message)
    inner = new("Inner")
    assert message.any.Unpack(inner)
    assert inner.a == 5


def test_reserved_names_are_skipped_whatever_their_shape(new):
    message = new()
    parse_into("reserved_field: [1, 2] reserved_field { x: 1 } i32: 3", message)
    assert message.i32 == 3


@pytest.mark.parametrize("depth", [400, 20_000])
def test_depth(depth, new):
    message = new()
    text = "msg{" + "child{" * depth + "a:1" + "}" * depth + "}"
    places = parse_into(text, message)
    path = ("msg", *["child"] * depth, "a")
    assert places.value(path).text == "1"
    report = Report()
    fill(Source("deep", text[:-1]), new(), report)
    assert [problem.code for problem in report] == ["N002"]
