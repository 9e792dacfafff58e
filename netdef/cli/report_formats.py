"""Reports for programs: JSON, GitHub's annotations, SARIF.

JSON and SARIF are ASCII, whatever the encoding of stdout. What is no UTF-8 in a file or in its
name is U+FFFD in all three: strict parsers refuse the halves of characters that Python reads it
as.
"""

from __future__ import annotations

import json as jsons
import os
import re
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdef.diag.render import printable

if TYPE_CHECKING:
    from netdef.diag import Problem, Report, Span

FORMAT_VERSION = 1
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}
_HALVES = re.compile("[\ud800-\udfff]")  # of characters beyond U+FFFF
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def json(report: Report, *, fixed: int = 0) -> str:
    """All problems as one object; `format_version` counts up when a field changes meaning.

    Args:
        report: the problems.
        fixed: how many were mended before.
    """
    about = {
        "format_version": FORMAT_VERSION,
        "ok": report.ok,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "fixable": sum(problem.fixable for problem in report),
        "fixed": fixed,
        "problems": [_problem(problem) for problem in report],
    }
    return _dumped(about)


def github(report: Report) -> str:
    """A line for each problem that GitHub shows beside the file."""
    return "".join(_annotation(problem) + "\n" for problem in report)


def sarif(report: Report) -> str:
    """SARIF 2.1.0, which code scanners read."""
    kinds = {problem.code: type(problem) for problem in report}
    rules = [
        {
            "id": code,
            "name": kind.__name__,
            "shortDescription": {"text": (kind.__doc__ or "").partition("\n")[0]},
            "fullDescription": {"text": cleandoc(kind.__doc__ or "")},
            "defaultConfiguration": {"level": kind.default_severity.value},
        }
        for code, kind in sorted(kinds.items())
    ]
    run = {
        "tool": {"driver": {"name": "netdef", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in report],
    }
    return _dumped({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _dumped(about: dict[str, Any]) -> str:
    return jsons.dumps(_whole(about), indent=2) + "\n"


def _whole(value: Any) -> Any:
    """The same without halves of characters."""
    if isinstance(value, str):
        return _HALVES.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        **_place(problem.span),
        "label": problem.label,
        "labels": [{**_place(label.span), "text": label.text} for label in problem.labels],
        "notes": list(problem.notes),
        "help": problem.help,
        "fixes": [
            {
                **_place(fix.span),
                "replacement": fix.replacement,
                "safe": fix.safe,
            }
            for fix in problem.fixes
        ],
    }


def _place(span: Span | None) -> dict[str, Any]:
    """Lines and columns from 1, in characters; offsets from 0."""
    if span is None:
        return {"file": None, "line": None, "column": None, "end": None, "offsets": None}
    return {
        "file": span.source.name,
        "line": span.begin.line,
        "column": span.begin.column,
        "end": {"line": span.finish.line, "column": span.finish.column},
        "offsets": [span.start, span.end],
    }


def _annotation(problem: Problem) -> str:
    settings = {"title": f"netdef {problem.code}"}
    if problem.span is not None:
        begin, end = problem.span.begin, problem.span.finish
        settings = {
            "file": problem.span.source.name,
            "line": str(begin.line),
            "col": str(begin.column),
            "endLine": str(end.line),
            **({"endColumn": str(end.column)} if end.line == begin.line else {}),
            **settings,
        }
    words = ",".join(f"{key}={_escaped(value, more=True)}" for key, value in settings.items())
    text = problem.message + (f" ({problem.help})" if problem.help else "")
    return f"::{_GITHUB[problem.severity.value]} {words}::{_escaped(text)}"


def _escaped(text: str, *, more: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    text = printable(text)
    return text.replace(":", "%3A").replace(",", "%2C") if more else text


def _result(problem: Problem) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "level": problem.severity.value,
        "message": _message(problem.message + (f"; {problem.help}" if problem.help else "")),
    }
    if problem.span is not None:
        result["locations"] = [_location(problem.span)]
    if problem.labels:
        related = [
            {**_location(label.span), "message": _message(label.text)} for label in problem.labels
        ]
        # the schema wants each once
        result["relatedLocations"] = [r for i, r in enumerate(related) if r not in related[:i]]
    if problem.fixes:
        result["fixes"] = [_sarif_fix(problem)]
    return result


def _sarif_fix(problem: Problem) -> dict[str, Any]:
    """All edits of a problem as one fix; a scanner applies a fix whole or not at all."""
    files: dict[str, list[dict[str, Any]]] = {}
    for fix in problem.fixes:
        change = {
            "deletedRegion": _location(fix.span)["physicalLocation"]["region"],
            "insertedContent": {"text": fix.replacement},
        }
        files.setdefault(fix.span.source.name, []).append(change)
    return {
        "description": _message(problem.help or problem.message),
        "artifactChanges": [
            {"artifactLocation": {"uri": _uri(name)}, "replacements": changes}
            for name, changes in files.items()
        ],
    }


def _message(text: str) -> dict[str, str]:
    """A text in which `{0}` stands for itself; section 3.11.5 of the standard."""
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", text)}


def _uri(name: str) -> str:
    """A relative reference, or a whole `file:` URI; bytes that are no UTF-8 stay what they are.

    What leads upwards becomes absolute: section 3.10.2 of the standard.
    """
    from urllib.parse import quote

    path = Path(name)
    if ".." in path.parts:
        path = path.resolve()
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def _location(span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(span.source.name)},
            "region": {
                "startLine": span.begin.line,
                "startColumn": span.begin.column,
                "endLine": span.finish.line,
                "endColumn": span.finish.column,
            },
        }
    }
