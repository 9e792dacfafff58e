"""A mistake as data: what is wrong, where, and how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import ClassVar

from netdef.diag.source import Span

_CODES: dict[str, type[Problem]] = {}


class Severity(Enum):
    """How much a problem matters: an error stops the work, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that a problem involves, and what is there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the text that mends a problem.

    Attributes:
        span: the characters to replace; an empty span inserts.
        replacement: what to put there; "" removes.
        safe: the text can only have meant this, so that `netdef check --fix` writes it unasked.
    """

    span: Span
    replacement: str
    safe: bool = True


@dataclass(frozen=True)
class Problem:
    """Base of all problems: a subclass is a kind, with a stable code.

    The subclass's docstring is what `netdef explain CODE` prints: what the problem is, an
    example, what to write instead. Messages are one sentence in lower case with no full stop,
    the user's own names in backticks.

    Attributes:
        message: what is wrong, with the values that show it.
        span: the characters at fault; None where no file has a place for it.
        label: a few words under the span.
        labels: other places involved.
        notes: facts that help to understand.
        help: what to write instead.
        severity: the kind's own unless given.
        fixes: changes that mend it, all of them together.
    """

    code: ClassVar[str] = ""
    default_severity: ClassVar[Severity] = Severity.ERROR

    message: str
    span: Span | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR
    fixes: tuple[Fix, ...] = ()

    def __init_subclass__(cls) -> None:
        """Register the kind under its code."""
        known = _CODES.setdefault(cls.code, cls)
        if known.__qualname__ != cls.__qualname__:
            raise TypeError(f"code {cls.code} is taken by {known.__qualname__}")
        super().__init_subclass__()

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",  # Caffe's users read this word in every compiler's output
        severity: Severity | None = None,
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        put = object.__setattr__
        put(self, "message", message)
        put(self, "span", span)
        put(self, "label", label)
        put(self, "labels", labels)
        put(self, "notes", notes)
        put(self, "help", help)
        put(self, "severity", severity or self.default_severity)
        put(self, "fixes", fixes)

    @property
    def fixable(self) -> bool:
        """Whether `netdef check --fix` mends it."""
        return bool(self.fixes) and all(fix.safe for fix in self.fixes)

    @property
    def file(self) -> str | None:
        """Name of the file at fault."""
        return self.span.source.name if self.span else None

    @property
    def line(self) -> int | None:
        """Line of the span's start, from 1."""
        return self.span.begin.line if self.span else None

    @property
    def column(self) -> int | None:
        """Column of the span's start, from 1, in characters."""
        return self.span.begin.column if self.span else None

    @property
    def end(self) -> tuple[int, int] | None:
        """Line and column of the first character after the span."""
        return tuple(self.span.finish) if self.span else None  # type: ignore[return-value]


def respelt(span: Span | None, meant: str | None) -> tuple[Fix, ...]:
    """The fix that writes another string.

    Args:
        span: the string with its quotes; no fix where it is anything else, such as the block
            around a field that is not written, or an old spelling of it.
        meant: what to write; no fix where that is not known.
    """
    if span is None or not meant:
        return ()
    text = span.text
    whole = text[:1] in ("'", '"') and len(text) > 1 and text.find(text[0], 1) == len(text) - 1
    return (Fix(span, f'"{meant}"'),) if whole else ()


def known_codes() -> Mapping[str, type[Problem]]:
    """All problem kinds that have been imported, by code."""
    return MappingProxyType(_CODES)


class FieldError(Exception):
    """A setting is wrong; whoever knows the file turns `field` into a place.

    Args:
        field: dotted path of the field as in the prototxt, from the message at hand:
            `convolution_param.num_output`, `param[1].lr_mult`.
        message: what is wrong with it, to follow the field's name: "must be at least 1, is 0".
        help: what to write instead.
        meant: the one word that the string there can only have been meant to be; "" for none.
    """

    def __init__(self, field: str, message: str, help: str = "", meant: str | None = "") -> None:
        super().__init__(f"{field} {message}")
        self.field = field
        self.meant = meant or ""
        self.message = message
        self.help = help


class BottomError(Exception):
    """What a bottom brings does not fit: its shape when a net is built, its values when it runs.

    Args:
        bottom: which one, counted from 0.
        message: a whole sentence without the blob's name: "has 3 axes, needs 4".
        help: what to write instead.
    """

    def __init__(self, bottom: int, message: str, help: str = "") -> None:
        super().__init__(f"bottom {bottom} {message}")
        self.bottom = bottom
        self.message = message
        self.help = help
