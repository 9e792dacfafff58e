"""A message together with where each of its fields stands, and reading one from a file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from netdef.diag import Report, Severity, Source, Span
from netdef.schema import problems
from netdef.schema.access import unreadable
from netdef.schema.netdef_pb2 import NetParameter, SolverParameter
from netdef.schema.upgrade import upgrade_net, upgrade_solver
from netdef.text import SpanMap, fill

StrPath = str | os.PathLike[str]

# What no text has: NUL and control characters other than tab, line breaks and form feeds.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_LOOK = 4096


@dataclass(frozen=True, slots=True)
class Document:
    """A net or a solver as read, in the current syntax.

    Attributes:
        message: the fields.
        spans: where they stand, by path: `("layer", 3, "convolution_param", "kernel_size", 0)`,
            the index after the name where a field is repeated. Paths are those of `message`;
            where an old syntax was upgraded they lead to what the user wrote.
        source: the text.
        path: the file; None for a text that came from elsewhere.
    """

    message: NetParameter | SolverParameter
    spans: SpanMap
    source: Source
    path: Path | None = None


def read_net(path: StrPath, report: Report) -> Document | None:
    """Read a net's prototxt, in whatever syntax Caffe ever had.

    Args:
        path: the file; shown in problems as given.
        report: where problems go.

    Returns:
        The net, as far as the text could be understood; None where there is no text to read.
    """
    source = _read_text(path, report, "net")
    return None if source is None else _net(source, Path(path), report)


def read_solver(path: StrPath, report: Report) -> Document | None:
    """Read a solver's prototxt; as `read_net`."""
    source = _read_text(path, report, "solver")
    return None if source is None else _solver(source, Path(path), report)


def net_from_text(text: str, name: str, report: Report) -> Document:
    """Read a net from a string.

    Args:
        text: the prototxt.
        name: what to call it in problems.
        report: where problems go.
    """
    return _net(Source(name, text), None, report)


def solver_from_text(text: str, name: str, report: Report) -> Document:
    """Read a solver from a string; as `net_from_text`."""
    return _solver(Source(name, text), None, report)


def _net(source: Source, path: Path | None, report: Report) -> Document:
    message = NetParameter()
    spans = _fill(source, message, report, "net")
    return Document(message, upgrade_net(message, spans, report), source, path)


def _solver(source: Source, path: Path | None, report: Report) -> Document:
    message = SolverParameter()
    spans = _fill(source, message, report, "solver")
    return Document(message, upgrade_solver(message, spans, report), source, path)


def _fill(
    source: Source, message: NetParameter | SolverParameter, report: Report, wanted: str
) -> SpanMap:
    """Fill the message; the other kind of text gives one problem rather than one a line."""
    found = Report()
    spans = fill(source, message, found, _about_field)
    if not found.ok:
        from netdef.schema.sniff import Kind, kind_of_text

        kind = kind_of_text(source.text)
        other = {"net": Kind.SOLVER_TEXT, "solver": Kind.NET_TEXT}[wanted]
        if kind is other:
            report.add(
                problems.OtherMessage(
                    f"`{source.name}` is {kind.value}, where a {wanted} is needed",
                    found.errors[0].span,
                    help=f"name the {wanted}'s file here",
                )
            )
            return spans
    report.extend(found)
    return spans


def _about_field(message: str, field: str) -> str | None:
    from netdef.schema.forks import about_field  # only an unknown field pays for the table

    return about_field(message, field)


def _read_text(path: StrPath, report: Report, wanted: str) -> Source | None:
    name = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        report.add(unreadable(path, error))
        return None
    if _BINARY.search(data[:_LOOK]) and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        from netdef.schema.sniff import sniff

        report.add(
            problems.BinaryForText(
                f"`{name}` is {sniff(path).value}, where the text of a {wanted} is needed",
                help=f"name the {wanted}'s prototxt here",
            )
        )
        return None
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _not_utf8(name, data, error, report)


def _not_utf8(name: str, data: bytes, error: UnicodeDecodeError, report: Report) -> Source | None:
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if utf16 or b"\x00" in data:
        report.add(
            problems.NotUtf8(
                f"`{name}` is not UTF-8 text: byte 0x{data[error.start]:02x} at {error.start}",
                notes=("its first bytes are those of UTF-16",) if utf16 else (),
                help="save the file as UTF-8",
            )
        )
        return None
    # One replacement character for each bad byte, so that offsets can be carried over.
    text = data.decode("utf-8", "surrogateescape")
    source = Source(name, re.sub("[\udc80-\udcff]", "\ufffd", text))
    bad = [m.start() for m in re.finditer("[\udc80-\udcff]", text)]
    outside = [offset for offset in bad if not _in_comment(text, offset)]
    first = outside[0] if outside else bad[0]
    report.add(
        problems.NotUtf8(
            f"byte 0x{ord(text[first]) - 0xDC00:02x} at "
            f"{len(text[:first].encode('utf-8', 'surrogateescape'))} is not UTF-8 text",
            Span(source, first, first + 1),
            label="here" if outside else "in a comment, which nobody reads",
            help="save the file as UTF-8",
            severity=None if outside else Severity.WARNING,
        )
    )
    return source


def _in_comment(text: str, offset: int) -> bool:
    """Whether a `#` outside of quotes stands before the offset on its line."""
    start = text.rfind("\n", 0, offset) + 1
    line = re.sub(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"", "", text[start:offset])
    return "#" in line.partition('"')[0].partition("'")[0]
