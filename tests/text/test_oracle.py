"""Beside protobuf's own text format: what it prints reads back, what netdef takes it takes."""

from __future__ import annotations

import math
import random

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from netdef.diag import NetdefError, Report, Source
from netdef.text import fill, parse_into

INTEGERS = {
    "i32": (-(2**31), 2**31 - 1),
    "i64": (-(2**63), 2**63 - 1),
    "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1),
    "s32": (-(2**31), 2**31 - 1),
    "s64": (-(2**63), 2**63 - 1),
    "fx32": (0, 2**32 - 1),
    "fx64": (0, 2**64 - 1),
    "sfx32": (-(2**31), 2**31 - 1),
    "sfx64": (-(2**63), 2**63 - 1),
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SINGLE = st.floats(width=32, allow_nan=False)
INNER = st.recursive(
    st.fixed_dictionaries({}, optional={"a": st.integers(-9, 9), "s": TEXTS}),
    lambda inner: st.fixed_dictionaries(
        {"child": inner}, optional={"a": st.integers(-9, 9), "f": st.lists(SINGLE, max_size=3)}
    ),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.integers(*limits) for name, limits in INTEGERS.items()},
        "flt": SINGLE,
        "dbl": st.floats(allow_nan=False),
        "b": st.booleans(),
        "str": TEXTS,
        "byt": st.binary(max_size=20),
        "color": st.sampled_from([-1, 0, 1, 2]),
        "odd": st.integers(0, 4),
        "msg": INNER,
        "r_i32": st.lists(st.integers(*INTEGERS["i32"]), max_size=4),
        "r_flt": st.lists(SINGLE, max_size=4),
        "r_dbl": st.lists(st.floats(allow_nan=False), max_size=4),
        "r_b": st.lists(st.booleans(), max_size=3),
        "r_str": st.lists(TEXTS, max_size=3),
        "r_byt": st.lists(st.binary(max_size=9), max_size=3),
        "r_msg": st.lists(INNER, max_size=3),
        "c_int": st.integers(0, 9),
        "m_si": st.dictionaries(TEXTS, st.integers(0, 9), max_size=3),
        "dflt": st.just(7),
    },
)


class TestRoundTrip:
    @given(fields=FIELDS, one_line=st.booleans(), short=st.booleans(), utf8=st.booleans())
    @settings(max_examples=150, deadline=None)
    def test_what_protobuf_prints_reads_back(self, messages, fields, one_line, short, utf8):
        message = messages["tf.M"](**fields)
        text = text_format.MessageToString(
            message, as_one_line=one_line, use_short_repeated_primitives=short, as_utf8=utf8
        )
        found = messages["tf.M"]()
        places = parse_into(text, found)
        assert found == message
        assert {path[0] for path in places.paths()} == {f.name for f, _ in message.ListFields()}


FLOAT_MAX = (2 - 2**-23) * 2.0**127
FLOATS = {
    "3.4028235e38": FLOAT_MAX,
    "3.4028235677973362e38": FLOAT_MAX,  # below the midpoint: C++ rounds down, Python up to inf
    "3.4028235677973366e38": FLOAT_MAX,  # the midpoint itself
    "3.4028235677973370e38": math.inf,
    "-3.4028235677973366e38": -FLOAT_MAX,
    "1e39": math.inf,
    "-1e400": -math.inf,
    "123456789012345678901234567890123456789012345": math.inf,
    "-Infinity": -math.inf,
    "InF": math.inf,
    "10f": 10.0,
    ".5F": 0.5,
    "- 1.5": -1.5,
}


@pytest.mark.parametrize("written", FLOATS)
def test_floats_are_doubles_narrowed(written, new):
    message = new()
    parse_into(f"flt: {written}", message)
    assert message.flt == FLOATS[written]


PIECES = (
    *"{}<>[]:,;\"'#-+.018xef_\n \\=$\t",
    *("//", "inf", "true", "a:", "a: 1", "msg {", '"s"', "r_i32: [1", 's: "x"', "0x", "\\x", "i32"),
)
BASE = """i32: 1
msg {
  a: 3
  s: "x" # hi
  child < a: 31 f: [1, .5, -inf] >
}
r_msg: [{a: 1}, <s: 'a' "b">];
r_str: ["a", "b" "c"]
color: RED  b: true
"""


def mutant(seed: int) -> str:
    """A valid text with one to three accidents."""
    random_ = random.Random(seed)
    text = BASE
    for _ in range(random_.randint(1, 3)):
        at = random_.randrange(len(text) + 1)
        drop = random_.choice((0, 0, 1, 3))
        text = text[:at] + random_.choice((*PIECES, "")) + text[at + drop :]
    return text


def test_mutants_are_refused_where_protobuf_refuses(new):
    """What netdef takes protobuf takes, with the same value; and nothing crashes.

    The converse does not hold: Python's text_format also takes `+1` and unknown escapes.
    """
    taken = refused = 0
    for seed in range(1500):
        text, message = mutant(seed), new()
        try:
            parse_into(text, message)
        except NetdefError:
            refused += 1
            continue
        taken += 1
        if "- " in text or "-\n" in text or "-#" in text or "b: 0" in text:
            continue  # C++ takes these, Python's text_format does not
        expected = text_format.Parse(text, new())
        assert message == expected, text
    assert taken > 50
    assert refused > 500


@given(st.text(st.sampled_from("".join(p for p in PIECES if len(p) == 1) + "ai0é\0\r\ufeff"),
               max_size=40))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_text_crashes(messages, text):
    report = Report()
    places = fill(Source("any", text), messages["tf.M"](), report)
    for problem in report:
        assert problem.line
    for path in places.paths():
        assert places.field(path) is not None
        assert places.name(path).text
    assert str(report) is not None
