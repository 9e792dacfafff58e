"""Every mistake of a text in one run, each said once: the exact reports, as golden files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from netdef.diag import NetdefError, Report, Severity, Source, known_codes
from netdef.schema import netdef_pb2
from netdef.text import fill, parse_into, problems

FOLDER = Path(__file__).parents[1] / "golden" / "text"
FILES = sorted(FOLDER.glob("*.prototxt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_report(path, golden):
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    solver = path.stem.startswith("solver")
    message = netdef_pb2.SolverParameter() if solver else netdef_pb2.NetParameter()
    report = Report()
    fill(Source(path.name, text), message, report)
    shown = f"{report}\n".encode("utf-8", "replace").decode()
    golden(path.with_suffix(".txt"), shown)


ONE_EACH = {
    "i32 5": "N001",
    "i32: 1,,": "N001",
    "dbl: 0,01": "N001",
    "msg { a: s: 'x' }": "N001",
    "r_i32 [1]": "N001",
    "msg { a: }": "N001",
    "msg { a }": "N001",
    "i32 i64: 1": "N001",
    "r_i32: [1 2 3 4]": "N001",
    "r_i32: [1, ]": "N001",
    "msg {{ a: 1 }}": "N001",
    "i 32: 5": "N001",
    "i32 = 5": "N001",
    "msg { a: 1": "N002",
    "msg { child { a: 1 }\ni64: 3": "N002",
    "r_i32: [1, 2": "N002",
    "r_i32: [1, 2 i32: 4": "N002",
    "r_msg: [{ a: 1, { a: 2 }]": "N002",
    "i32: 1 }": "N003",
    "i32: 1 ]": "N003",
    "msg { a: 1 >": "N004",
    "r_i32: [1, 2}": "N004",
    'str: "abc': "N005",
    'str: "abc\ni32: 3': "N005",
    'str: abc"': "N005",
    'str: "a\nb"': "N005",
    r'str: "\q"': "N006",
    r'str: "\ud800"': "N006",
    "i32: 08": "N007",
    "i32: 10bar": "N007",
    "i32: +1": "N007",
    "dbl: 1e": "N007",
    "i32: $x$": "N008",
    "str: /data/x": "N008",
    "str: a/b": "N008",
    "color: RED-BLUE": "N008",
    "i32:\u00a01\u00a0i64:\u00a02": "N008",
    "i32: 1 \0": "N008",
    "// hi there\ni32: 1": "N009",
    "i32: 1 /* hi\nthere */ i64: 1": "N009",
    "i33: 1": "N010",
    "i33 { a { b: 1 } c: 2 }": "N010",
    "i33: [1, 2]": "N010",
    "str: SGD": "N011",
    "str: 3": "N011",
    'i32: "3"': "N011",
    "i32: 1.5": "N011",
    "i32: 1e3": "N011",
    "i32 { a: 1 }": "N011",
    "msg: 3": "N011",
    "dbl: 0x10": "N011",
    'color: "RED"': "N011",
    "i32: 2147483648": "N012",
    "u32: -0": "N012",
    "u64: 0x10000000000000000": "N012",
    "i32: " + "9" * 5000: "N012",
    "color: PURPLE": "N013",
    "color: 9": "N013",
    "i32: 1 i32: 2": "N014",
    "msg {} msg {}": "N014",
    "i32: [1]": "N015",
    "msg: [{}]": "N015",
    "req {}": "N016",
    "b: TRUE": "N017",
    "b: 2": "N017",
    'b: "true"': "N017",
    "c_int: 1 c_str: 'x'": "N018",
    'str: "\\xff"': "N019",
    "[no.ext]: 1": "N023",
    "[tf.Inner/tf.Inner] {}": "N023",
}


@pytest.mark.parametrize("text", ONE_EACH, ids=[repr(text)[:40] for text in ONE_EACH])
def test_one_mistake_is_one_problem(text, new):
    report = Report()
    fill(Source("t", text), new(), report)
    assert [problem.code for problem in report] == [ONE_EACH[text]]
    (problem,) = report
    assert problem.span.text or problem.code == "N016"


def test_what_is_right_is_read_around_mistakes(new):
    report, message = Report(), new()
    text = (
        'i32: 1 zzz: 2 msg { a: x s "t" } r_i32: [1 2 3]\nstr: "a\ni64: 5\nr_msg { a: 1 } }\nb: 1'
    )
    fill(Source("t", text), message, report)
    assert [problem.code for problem in report] == ["N010", "N011", "N001", "N001", "N005", "N003"]
    assert (message.i32, message.msg.s, list(message.r_i32)) == (1, "t", [1, 2, 3])
    assert (message.i64, message.r_msg[0].a, message.b) == (5, 1, True)


def test_problems_come_in_the_order_of_the_text(new):
    report = Report()
    fill(Source("t", "zzz: 1\ni32 1\nyyy: 2\nmsg: 3\n"), new(), report)
    assert [problem.line for problem in report] == [1, 2, 3, 4]


def test_parse_into_raises_all_at_once(new):
    with pytest.raises(NetdefError) as caught:
        parse_into("i32: x i64: y", new(), "some.prototxt")
    assert [str(problem.span) for problem in caught.value.report] == [
        "some.prototxt:1:6",
        "some.prototxt:1:13",
    ]


def test_the_hook_for_unknown_fields_adds_a_note(new):
    report = Report()
    asked = []

    def known(message: str, field: str) -> str | None:
        asked.append((message, field))
        return "`norm_param` is from the SSD fork" if field == "norm_param" else None

    text = "norm_param { x: 1 } msg { norm: 2 }"
    fill(Source("t", text), new(), report, unknown_field=known)
    assert asked == [("M", "norm_param"), ("Inner", "norm")]
    assert [problem.notes for problem in report] == [("`norm_param` is from the SSD fork",), ()]


def test_raw_bytes_of_another_encoding_are_a_warning(new):
    message, report = new(), Report()
    text = b'str: "\xc4\xe3" # \xc4\xe3\nc_str: "\xc4" r_str: "a\xff" "b"'
    fill(Source("t", text.decode("utf-8", "surrogateescape")), message, report)
    assert [p.severity for p in report] == [Severity.WARNING] * 3
    assert (message.str, list(message.r_str)) == ("\ufffd\ufffd", ["a\ufffdb"])


def test_many_mistakes_are_counted(new):
    report = Report()
    fill(Source("t", "zzz: 1\n" * 5000), new(), report)
    assert len(report) == 201
    assert report.problems[-1].message == "the text has 4800 more mistakes"


def test_lark_is_imported_with_the_first_text_only():
    code = (
        "import sys, netdef.text\n"
        "heavy = {'lark', 'google', 'numpy', 'difflib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_kind_says_what_to_write():
    kinds = [kind for code, kind in known_codes().items() if kind.__module__ == problems.__name__]
    assert len(kinds) == 24
    for kind in kinds:
        assert kind.__doc__
        shown = "Wrong:" in kind.__doc__
        assert shown or kind.code in ("N020", "N021", "N022", "N024")
