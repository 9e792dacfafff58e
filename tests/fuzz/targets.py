"""What is fuzzed, and what must hold: nothing but NetdefError comes out, and laws of fmt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from netdef.api.checking import check
from netdef.api.contents import inspect
from netdef.api.texts import Rewritten, fmt, upgrade
from netdef.diag import NetdefError, Report, Source
from netdef.diag.render import render
from netdef.schema import NetParameter, SolverParameter
from netdef.schema.sniff import sniff
from netdef.schema.weights import read_state, read_weights
from netdef.text import fill, parse_into

Target = Callable[[bytes, Path], None]


def _unless_refused(function: Callable[..., Rewritten], *arguments: Any) -> Rewritten | None:
    """What a function makes of an input; None where it says what is wrong with it."""
    try:
        return function(*arguments)
    except NetdefError as error:
        codes = {problem.code for problem in error.report}
    assert codes, "no reason is given"
    assert "N157" not in codes, "the meaning would change"
    return None


def parse(data: bytes, folder: Path) -> None:
    """Text to message: problems lie inside the text, and can be shown."""
    text = data.decode("utf-8", "replace")
    for message in (NetParameter(), SolverParameter()):
        source, report = Source("fuzz.prototxt", text), Report()
        places = fill(source, message, report)
        for problem in report:
            if problem.span is not None:
                assert 0 <= problem.span.start <= problem.span.end <= len(text), problem
        render(report, color=False)
        for number, path in enumerate(places.paths()):
            if number > 50:
                break
            assert places.value(path) is not None, path
        if report.ok:
            parse_into(text, type(message)())


def checked(data: bytes, folder: Path) -> None:
    """`netdef check`: a report, whatever the file."""
    path = folder / "fuzz.prototxt"
    path.write_bytes(data)
    str(check(path))


def formatted(data: bytes, folder: Path) -> None:
    """`netdef fmt`: done twice it is done once, and a text that parses is laid out."""
    once = _unless_refused(fmt, "fuzz.prototxt", data)
    if once is None:
        return
    twice = fmt("fuzz.prototxt", once.after)
    assert twice.after == once.after, "not idempotent"
    once.diff()


def upgraded(data: bytes, folder: Path) -> None:
    """`netdef upgrade` of a text: done twice it is done once."""
    once = _unless_refused(upgrade, "fuzz.prototxt", Report(), data)
    if once is not None and once.changed:
        report = Report()
        twice = upgrade("fuzz.prototxt", report, once.after)
        assert twice.after == once.after, "not idempotent"


def binary(data: bytes, folder: Path) -> None:
    """All readers of binary files."""
    path = folder / "fuzz.bin"
    path.write_bytes(data)
    sniff(path)
    for read in (read_weights, read_state, lambda p: inspect(p, stat=True)):
        try:
            read(path)
        except NetdefError as error:
            str(error)
    _unless_refused(upgrade, path, Report())


TEXT: dict[str, Target] = {
    "parse": parse,
    "check": checked,
    "fmt": formatted,
    "upgrade": upgraded,
}
BINARY: dict[str, Target] = {"binary": binary}
