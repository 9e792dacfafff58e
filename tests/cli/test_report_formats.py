"""What `netdef check` writes for programs: JSON, SARIF, GitHub's annotations."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from netdef.api import check
from netdef.cli import report_formats
from netdef.diag import Label, Report, Source, Span
from netdef.graph.problems import UnknownBottom

BROKEN = Path(__file__).resolve().parents[1] / "golden" / "broken"
CASES = sorted(BROKEN.glob("*.prototxt"))
LEVELS = ("error", "warning", "note")

# What the schema of SARIF 2.1.0 says about the objects that netdef writes: what each must have,
# and what it may have; anything else it refuses.
MUST_AND_MAY = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"results", "columnKind"}),
    "driver": ({"name"}, {"rules"}),
    "rule": ({"id"}, {"name", "shortDescription", "fullDescription", "defaultConfiguration"}),
    "configuration": (set(), {"level"}),
    "result": ({"message"}, {"ruleId", "level", "locations", "relatedLocations", "fixes"}),
    "location": (set(), {"physicalLocation", "message"}),
    "physical": (set(), {"artifactLocation", "region"}),
    "artifact": (set(), {"uri"}),
    "region": (set(), {"startLine", "startColumn", "endLine", "endColumn"}),
    "fix": ({"artifactChanges"}, {"description"}),
    "change": ({"artifactLocation", "replacements"}, set()),
    "replacement": ({"deletedRegion"}, {"insertedContent"}),
}
# A reference as RFC 3986 has it; without a scheme, no `:` in the first part of the path.
URI = re.compile(r"(file:///)?([\w.~!$&'()*+,;=@/-]|%[0-9A-F]{2})+", re.ASCII)


def has(what, kind):
    must, may = MUST_AND_MAY[kind]
    assert must <= what.keys() <= must | may, kind
    return what


def is_text(what):
    assert what.keys() == {"text"}
    assert isinstance(what["text"], str)
    assert not re.search(r"(?<!\{)\{\d+\}", what["text"])  # no argument for it


def is_region(what):
    has(what, "region")
    assert all(type(number) is int for number in what.values())
    begin = (what["startLine"], what["startColumn"])
    assert (1, 1) <= begin <= (what["endLine"], what["endColumn"])


def is_artifact(what):
    assert URI.fullmatch(has(what, "artifact")["uri"])


def is_location(what):
    physical = has(has(what, "location")["physicalLocation"], "physical")
    is_artifact(physical["artifactLocation"])
    is_region(physical["region"])


def is_once_each(items):
    assert all(item not in items[:i] for i, item in enumerate(items))


def is_sarif(text):
    assert text.isascii()
    log = has(json.loads(text), "log")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert has(run, "run")["columnKind"] == "unicodeCodePoints"
    assert run["tool"].keys() == {"driver"}
    rules = has(run["tool"]["driver"], "driver")["rules"]
    is_once_each([rule["id"] for rule in rules])
    for rule in rules:
        is_text(has(rule, "rule")["shortDescription"])
        is_text(rule["fullDescription"])
        assert has(rule["defaultConfiguration"], "configuration")["level"] in LEVELS
    for result in run["results"]:
        assert has(result, "result")["ruleId"] in {rule["id"] for rule in rules}
        assert result["level"] in LEVELS
        is_text(result["message"])
        related = result.get("relatedLocations", [])
        is_once_each(related)
        for place in (*result.get("locations", ()), *related):
            is_location(place)
        for place in related:
            is_text(place["message"])
        is_once_each(result.get("fixes", []))
        for fix in result.get("fixes", ()):
            is_text(has(fix, "fix")["description"])
            assert fix["artifactChanges"]
            for change in fix["artifactChanges"]:
                is_artifact(has(change, "change")["artifactLocation"])
                assert change["replacements"]
                for replacement in change["replacements"]:
                    is_region(has(replacement, "replacement")["deletedRegion"])
                    is_text(replacement["insertedContent"])
    return run


def is_json(text):
    assert text.isascii()
    assert not re.search(r"(?i)(?<!\\)(\\\\)*\\ud[89ab]..(?!\\ud[c-f]..)", text)
    found = json.loads(text, parse_constant=pytest.fail)
    json.dumps(found, ensure_ascii=False).encode()  # no half of a character
    return found


def is_github(text):
    lines = re.split(r"\r\n|\r|\n", text)
    assert lines.pop() == ""
    for line in lines:
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::([^\0-\x1f\x7f-\x9f]*)", line)
        assert found, line
        for setting in found[2].split(","):
            assert re.fullmatch(r"(file|line|col|endLine|endColumn|title)=[^=]*", setting)
        assert not re.search("%(?!25|0D|0A)", found[3])
    return lines


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_all_that_broken_nets_bring_up(path):
    report = check(path)
    is_sarif(report_formats.sarif(report))
    assert len(is_json(report_formats.json(report))["problems"]) == len(report)
    assert len(is_github(report_formats.github(report))) == len(report)


NASTY = rb"""layer { name: "a\n%0A::error::{0}" type: "Inpt\033[31m\r\n,:" bottom: "\u2028\x7f" }
layer { name: "100%" type: "B\u00e9" bottom: "\U0001F600" top: "t" }
layer { name: "\xff" type: "Silence" bottom: "t" } # ok
layer { name: "RAW" type: "Silence" bottom: "none" }
""".replace(b"RAW", b"\xff\xfe")
NAMES = [
    b"plain.prototxt",
    b"a b%41,c:d#e?.prototxt",
    b"c:x.prototxt",
    b"caf\xe9.prototxt",
    "\u00e9\u2603\U0001f600.prototxt".encode(),
    b"new\nline\rand\ttab.prototxt",
    b"colour\x1b[31m.prototxt",
    b'quo"te.prototxt',
    b"::error::x.prototxt",
]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("absolute", [False, True])
def test_names_and_texts_of_any_bytes(name, absolute, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = os.path.join(os.fsencode(tmp_path), name) if absolute else name
    Path(os.fsdecode(path)).write_bytes(NASTY)
    report = check(os.fsdecode(path))
    shown = path.decode("utf-8", "replace")
    assert len(report) >= 5

    run = is_sarif(report_formats.sarif(report))
    places = [place for result in run["results"] for place in result["locations"]]
    uris = {place["physicalLocation"]["artifactLocation"]["uri"] for place in places}
    assert {unquote_to_bytes(uri.removeprefix("file://")) for uri in uris} == {path}
    assert all(uri.startswith("file:///") == absolute for uri in uris)
    texts = [result["message"]["text"] for result in run["results"]]
    assert any("a\n%0A::error::{{0}}" in text for text in texts)

    problems = is_json(report_formats.json(report))["problems"]
    assert {problem["file"] for problem in problems} == {shown}
    assert any("Inpt\033[31m\r\n,:" in problem["message"] for problem in problems)
    assert any("\N{REPLACEMENT CHARACTER}" in problem["message"] for problem in problems)

    lines = is_github(report_formats.github(report))
    assert any("`Inpt␛[31m%0D%0A,:`" in line for line in lines)
    assert any("a%0A%250A::error::{0}" in line for line in lines)
    pictures = shown.replace("\t", "␉").replace("\033", "␛")
    for old, new in (("%", "%25"), (":", "%3A"), (",", "%2C"), ("\n", "%0A"), ("\r", "%0D")):
        pictures = pictures.replace(old, new)
    assert all(f" file={pictures},line=" in line for line in lines)

    full, concise = (f(report) for f in (str, lambda r: "".join(map(_concise, r))))
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", full)
    assert concise.count("\n") == len(report)


def _concise(problem):
    from netdef.diag.render import concise

    return concise(problem) + "\n"


def test_names_that_lead_upwards_become_whole(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    (tmp_path / "net.prototxt").write_text('layer { name: "a" }')
    monkeypatch.chdir(tmp_path / "below")
    run = is_sarif(report_formats.sarif(check("../net.prototxt")))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == (tmp_path / "net.prototxt").resolve().as_uri()


def test_a_label_counts_once():
    span = Span(Source("t", "a"), 0, 1)
    label = Label(span, "here")
    report = Report()
    report.add(UnknownBottom("x", span, labels=(label, Label(span, "there"), label)))
    (result,) = is_sarif(report_formats.sarif(report))["results"]
    assert [place["message"]["text"] for place in result["relatedLocations"]] == ["here", "there"]


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_stdout_of_another_encoding(form, tmp_path):
    (tmp_path / "\u00e9.prototxt").write_text('layer { name: "\u00e9" type: "\u2603" }')
    done = subprocess.run(
        [sys.executable, "-m", "netdef", "check", "\u00e9.prototxt", "--format", form],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "unknown layer type `\u2603`" in json.dumps(json.loads(done.stdout), ensure_ascii=False)
