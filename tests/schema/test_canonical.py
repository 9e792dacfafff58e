"""The canonical layout: golden files, laws, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

from netdef.api.texts import fmt
from netdef.diag import NetdefError, Report, Source
from netdef.schema import NetParameter
from netdef.schema.canonical import canonical

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden"
NETS = sorted(
    p
    for folder in ("tests/golden/layers", "tests/golden/solvers", "models", "tests/golden/graph")
    for p in (ROOT / folder).rglob("*.prototxt")
)


def lay_out(text):
    report = Report()
    return canonical(Source("x.prototxt", text), report), report


@pytest.mark.parametrize("path", sorted((GOLDEN / "fmt").glob("*.prototxt")), ids=lambda p: p.stem)
def test_golden(path, golden):
    text, report = lay_out(path.read_text("utf-8"))
    assert report.ok
    golden(path.with_suffix(".txt"), text)
    assert lay_out(text)[0] == text


@pytest.mark.parametrize("path", NETS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_nets_keep_meaning_and_comments(path):
    before = path.read_text("utf-8")
    after, report = lay_out(before)
    if after is None:
        assert not report.ok
        return
    assert lay_out(after)[0] == after
    assert sorted(_comments(before)) == sorted(_comments(after))
    message = NetParameter()
    try:
        text_format.Parse(before, message)
    except text_format.ParseError:
        return
    assert text_format.Parse(after, NetParameter()) == message


def _comments(text):
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]


def test_order_of_a_layers_fields():
    text, _ = lay_out(
        'layer { relu_param {} param {} include {} top: "t" bottom: "b" blobs {} type: "x" '
        'name: "n" zebra: 1 loss_weight: 1 }'
    )
    names = [line.split()[0].strip(":") for line in text.splitlines()[1:-1]]
    settings = ["relu_param", "zebra", "blobs"]
    assert names[:4] == ["name", "type", "bottom", "top"]
    assert names[4:] == ["loss_weight", "include", "param", *settings]


def test_a_header_stays_when_the_name_moves_up():
    text, _ = lay_out('# license\n\n# of the layer\nlayer {}\nname: "n"')
    assert text.splitlines() == [
        "# license",
        "",
        'name: "n"',
        "# of the layer",
        "layer {",
        "}",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only this", "\n# a\n\n\n\n# b\n"])
def test_texts_without_fields(text):
    once, _ = lay_out(text)
    assert lay_out(once)[0] == once
    assert "\n\n\n" not in once


def test_deep_nesting_needs_no_recursion():
    depth = 20_000
    text, report = lay_out("a{" * depth + "}" * depth)
    assert report.ok
    assert text.count("{") == depth


@pytest.mark.parametrize("text", ["layer {", 'name: "a', "layer { name: }", "a: 1 }"])
def test_mistakes_of_syntax_are_reported(text):
    after, report = lay_out(text)
    assert after is None
    assert not report.ok
    with pytest.raises(NetdefError):
        fmt("x.prototxt", text.encode())


def test_bytes_of_other_encodings_survive_in_comments():
    data = b"# \xc4\xe3\xba\xc3\r\nname : 'a'\r\n"
    assert fmt("x.prototxt", data).after == b'# \xc4\xe3\xba\xc3\nname: "a"\n'


def test_changed_meaning_is_not_written(monkeypatch):
    from netdef.schema import canonical as module

    monkeypatch.setattr(module, "write", lambda *_: 'name: "other"\n')
    after, report = lay_out('name: "a"')
    assert after is None
    assert [p.code for p in report] == ["N157"]
