"""Prototxt files written anew: canonical layout, and the current syntax."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from netdef.diag import NetdefError, Report, Source
from netdef.schema.access import unreadable
from netdef.schema.document import read_net
from netdef.schema.sniff import Kind, sniff

_STRANGE = re.compile(rb"[\x00-\x08\x0e-\x1f]")

StrPath = str | os.PathLike[str]  # that of `loading`, which takes longer to import


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text before and after.

    Attributes:
        name: of the file, as given.
        before: its bytes.
        after: what they would become.
    """

    name: str
    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return self.before != self.after

    def diff(self) -> str:
        """The change as a unified diff; "" where there is none."""
        from difflib import unified_diff

        old, new = (_decode(data).splitlines(keepends=True) for data in (self.before, self.after))
        text = ""
        for line in unified_diff(old, new, f"{self.name} before", f"{self.name} after"):
            text += line if line.endswith("\n") else line + "\n\\ no newline at the end\n"
        return text

    def write(self) -> None:
        """Replace the file, whole or not at all.

        Raises:
            NetdefError: it cannot be written.
        """
        write_bytes(self.name, self.after)


def fmt(path: StrPath, data: bytes | None = None) -> Rewritten:
    """A prototxt in canonical layout: two spaces, short messages on a line, fields in order.

    Comments and single blank lines are kept. That it means the same is proved by reading both.
    Nothing is written; `Rewritten.write` does.

    Args:
        path: the file, or a name for `data`.
        data: the text, where it is not in a file.

    Raises:
        NetdefError: the file is no text, or has mistakes of syntax.
    """
    from netdef.schema.canonical import canonical

    source, data = _read(path, data)
    report = Report()
    text = canonical(source, report)
    if text is None:
        raise NetdefError(report)
    return Rewritten(source.name, data, _encode(text))


def upgrade(path: StrPath, report: Report, data: bytes | None = None) -> Rewritten:
    """A net, solver or binary model in the current syntax; as it was where it is so already.

    Args:
        path: the file, or a name for `data`; text or binary, told by content.
        report: takes warnings; a note where there is nothing to do.
        data: the content, where it is not in a file.

    Raises:
        NetdefError: the file has mistakes, is damaged, or of a kind that has no syntax.
    """
    from netdef.schema.upgrade.files import upgrade_binary, upgrade_text

    if data is None and _kind(path) is Kind.MODEL:
        data = _bytes(path)
        after = upgrade_binary(data, os.fspath(path), report)
    else:
        source, data = _read(path, data)
        text = upgrade_text(source, report)
        same = text is source.text
        after = data if same else None if text is None else _encode(text)
    if after is None:
        raise NetdefError(report)
    return Rewritten(os.fspath(path), data, after)


def write_bytes(path: StrPath, data: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        NetdefError: it cannot be written.
    """
    from netdef.schema.weights.atomic import replacing

    with replacing(path) as temporary:
        temporary.write_bytes(data)


def is_binary(path: StrPath) -> bool:
    """Whether a file is a binary model; False where it cannot be read."""
    try:
        return sniff(path) is Kind.MODEL
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False


def _kind(path: StrPath) -> Kind:
    try:
        return sniff(path)
    except (OSError, ValueError) as error:
        raise NetdefError(unreadable(path, error)) from error


def _bytes(path: StrPath) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise NetdefError(unreadable(path, error)) from error


def _read(path: StrPath, data: bytes | None) -> tuple[Source, bytes]:
    """The text of a file; bytes that are no UTF-8 come back as they were, in comments."""
    if data is None:
        data = _bytes(path)
        if _STRANGE.search(data):
            report = Report()
            if read_net(path, report) is None:  # which says what the file is instead
                raise NetdefError(report)
    return Source(os.fspath(path), _decode(data)), data


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
