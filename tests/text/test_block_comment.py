"""Comments of C behind `#`."""

from __future__ import annotations

import pytest

from netdef.diag import Report, Source
from netdef.schema import NetParameter
from netdef.text import fill
from netdef.text.block_comment import as_hashes


def written(text):
    start, end = text.index("/*"), text.index("*/") + 2
    instead = as_hashes(text, start, end)
    return None if instead is None else text[:start] + instead + text[end:]


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("/* a */\n", "# a\n"),
        ("/*a*/", "# a"),
        ("/**/", "#"),
        ("/** a */", "# a"),
        ("x: 1 /* a */  \ny: 2", "x: 1 # a  \ny: 2"),
        ("/* a\n   b */", "# a\n# b"),
        ("/* a\n * b\n *\n * c\n */\n", "# a\n# b\n#\n# c\n"),
        ("/*\n * a\n */\n", "# a\n"),
        ("/*\na {\n  b: 1\n}\n*/\n", "# a {\n#   b: 1\n# }\n"),
        ("  /* a\n   * b */\n", "  # a\n  # b\n"),
        ("x: 1 /* a\n        b */\n", "x: 1 # a\n        # b\n"),
        ("x: 1 /*\n  a\n*/\n", "x: 1 # a\n"),
        ("/* a\r\n * b\r\n */\r\n", "# a\r\n# b\r\n"),
        ("/*****\n * a\n *****/\n", "#****\n# a\n#****\n".replace("#****", "# ****")),
        ("/*\n*/", "#"),
    ],
)
def test_lines(text, instead):
    assert written(text) == instead


@pytest.mark.parametrize(
    "text",
    [
        "/* a */ x: 1",
        "/* a\n b */ }",
        "/* a */ /* b */",
        "/* a */ # b",
        "/* a /* b */ c */",
        "/* a */\rx: 1",
        "/* a */\u00a0",
        "/* \0 */",
    ],
)
def test_what_more_than_blanks_follow_stays(text):
    assert written(text) is None


@pytest.mark.parametrize(
    "text",
    [
        'name: "a"/* b */',
        'name: "a" /* b\n } */\nforce_backward: true',
        "input_dim: 1/* b */\ninput_dim: 2",
        "input_dim: 1// b\ninput_dim: 2",
        "input_dim: [1, /* b */\n2]",
        "state /* b */\n{ level: 1 }",
        "force_backward: true/* b */\ninput_dim: 2",
        "force_backward: /* b */\ntrue",
        "force_backward: // b\ntrue",
    ],
)
def test_a_comment_is_one_mistake_and_its_fix_leaves_none(text):
    report, message = Report(), NetParameter()
    fill(Source("t", text), message, report)
    (problem,) = report
    (fix,) = problem.fixes
    assert problem.code == "N009"
    mended = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    report, again = Report(), NetParameter()
    fill(Source("t", mended), again, report)
    assert not report.problems
    assert again == message


@pytest.mark.parametrize("path", ["data/*", "data//x", "//srv/x", "/*/x", "data/*.txt", "http://x"])
def test_paths_are_no_comments(path):
    report = Report()
    fill(Source("t", f"name: {path}\n# */\n"), NetParameter(), report)
    assert [problem.code for problem in report] == ["N008"]
    assert report.problems[0].fixes[0].replacement == f'"{path}"'
