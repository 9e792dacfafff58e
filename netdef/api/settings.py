"""Single fields of solvers and nets, set in place of what their files say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from netdef.api.problems import BadAssignment, SettingError
from netdef.diag import Report, Source, Span, nearest
from netdef.schema.document import Document
from netdef.text import Path, SpanMap, fill
from netdef.text.rules import Rule, rules_of

_SHOWN_AS = "--set"
_MOST_NAMES = 8
_TEXT_TYPE = 9  # TYPE_STRING of descriptor.proto
_STEP = re.compile(r"(\w+)(?:\[([^\]]*)\])?(\.(?=.)|$)")


@dataclass(frozen=True, slots=True)
class Assignment:
    """`path=value` as given.

    Attributes:
        source: all of it.
        begin: where in it the path starts, after `net.`.
        equals: where in it the `=` stands.
        of_net: it is about the net, not the solver.
    """

    source: Source
    begin: int
    equals: int
    of_net: bool

    @property
    def value(self) -> str:
        """What stands behind the `=`."""
        return self.source.text[self.equals + 1 :]


@dataclass(frozen=True, slots=True)
class _Step:
    """A name of the path, with what stands in brackets behind it."""

    name: str
    pick: str | None
    span: Span


def read_assignments(texts: Iterable[str]) -> list[Assignment]:
    """Take `path=value` texts apart.

    Raises:
        SettingError: one has no `=` or no path.
    """
    found = []
    report = Report()
    for text in texts:
        source = Source(_SHOWN_AS, text)
        equals = text.find("=")
        if equals <= 0:
            report.add(
                BadAssignment(
                    f"`{text}` sets nothing",
                    Span(source, 0, len(text)),
                    help="write a field, `=` and its value: base_lr=0.01",
                )
            )
            continue
        of_net = text.startswith("net.")
        found.append(Assignment(source, len("net.") if of_net else 0, equals, of_net))
    _raise(report)
    return found


def with_settings(document: Document, assignments: Iterable[Assignment]) -> Document:
    """Set fields of a net or a solver; its message is changed.

    Args:
        document: as read.
        assignments: of this document only.

    Returns:
        The document, with the places of what was set.

    Raises:
        SettingError: a field is not there, or does not take its value.
    """
    report = Report()
    places: dict[Path, Span] = {}
    for assignment in assignments:
        before = len(report.errors)
        steps = list(_steps(assignment, report))
        if steps and len(report.errors) == before:
            for path, message in _targets(document.message, steps[:-1], report):
                _assign(message, path, steps[-1], assignment, places, report)
    _raise(report)
    spans = _WithSettings(document.spans, places)
    return Document(document.message, spans, document.source, document.path)


def _raise(report: Report) -> None:
    if not report.ok:
        raise SettingError(report)


def _steps(assignment: Assignment, report: Report) -> Iterator[_Step]:
    source = assignment.source
    path = source.text[: assignment.equals].rstrip()
    at = assignment.begin
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            report.add(
                BadAssignment(
                    f"`{path}` is no path of a field",
                    Span(source, at, len(path)),
                    help="write names with dots between them: layer[conv1].param[0].lr_mult",
                )
            )
            return
        end = match.end(2) + 1 if match[2] is not None else match.end(1)
        yield _Step(match[1], match[2], Span(source, at, end))
        at = match.end()


def _rule(message: Any, step: _Step, report: Report) -> Rule | None:
    rules = rules_of(message.DESCRIPTOR)
    rule = rules[step.name]
    if rule is None:
        near = nearest(step.name, rules.names())
        report.add(
            BadAssignment(
                f"there is no field `{step.name}` in {message.DESCRIPTOR.name}",
                step.span,
                label="no such field",
                help=f"did you mean `{near[0]}`?" if near else "",
            )
        )
    return rule


def _targets(root: Any, steps: list[_Step], report: Report) -> list[tuple[Path, Any]]:
    """The messages that a path leads to; none, with a problem, where it leads nowhere."""
    targets: list[tuple[Path, Any]] = [((), root)]
    for step in steps:
        rule = _rule(targets[0][1], step, report)
        if rule is None:
            return []
        if rule.message is None:
            report.add(BadAssignment(f"`{step.name}` is a value, with no fields in it", step.span))
            return []
        found: list[tuple[Path, Any]] = []
        for path, message in targets:
            held = getattr(message, step.name)
            if not rule.repeated:
                found.append(((*path, step.name), held))
                continue
            indices = _picked(held, step)
            found += [((*path, step.name, index), held[index]) for index in indices]
        if not found:
            _no_such(targets[0][1], step, report)
            return []
        targets = found
    return targets


def _picked(held: Any, step: _Step) -> list[int]:
    """Indices of the elements that a step means."""
    if step.pick is None:
        return [0] if len(held) == 1 else []
    if step.pick.isdigit():
        return [int(step.pick)] if int(step.pick) < len(held) else []
    wanted = step.pick.strip("\"'")
    return [i for i, one in enumerate(held) if getattr(one, "name", None) == wanted]


def _no_such(message: Any, step: _Step, report: Report) -> None:
    held = getattr(message, step.name)
    names = list(dict.fromkeys(getattr(one, "name", "") for one in held))
    known = [name for name in names if name]
    if step.pick is None:
        text = f"there are {len(held)} `{step.name}`: which one is not said"
        example = known[0] if known else "0"
        help = f"write `{step.name}[{example}]`" if len(held) else ""
    else:
        text = f"there is no `{step.name}[{step.pick}]`"
        near = nearest(step.pick, known)
        there = ", ".join(known[:_MOST_NAMES]) + ", …" * (len(known) > _MOST_NAMES)
        help = f"did you mean `{step.name}[{near[0]}]`?" if near else f"there are {there}"
        if not known:
            help = f"there are {len(held)}, counted from 0"
    report.add(BadAssignment(text, step.span, help=help))


def _assign(
    message: Any,
    path: Path,
    step: _Step,
    assignment: Assignment,
    places: dict[Path, Span],
    report: Report,
) -> None:
    rule = _rule(message, step, report)
    if rule is None:
        return
    value = assignment.value
    index = None if step.pick is None else int(step.pick) if step.pick.isdigit() else -1
    held = getattr(message, rule.name)
    if index is not None and not (rule.repeated and 0 <= index < len(held)):
        report.add(BadAssignment(f"there is no `{step.name}[{step.pick}]`", step.span))
        return
    # Filled in a copy, so that required fields beside this one are there.
    copy = type(message)()
    copy.CopyFrom(message)
    copy.ClearField(rule.name)
    text = _as_text(rule, value, single=index is not None)
    found = Report()
    fill(Source(_SHOWN_AS, f"{rule.name}: {text}"), copy, found)
    offset = assignment.equals + 1 - len(f"{rule.name}: ") - (len(text) - len(value) + 1) // 2
    for problem in found:
        report.add(replace(problem, span=_moved(problem.span, assignment, offset), labels=()))
    if not found.ok:
        return
    if index is None:
        message.CopyFrom(copy)
        places[(*path, rule.name)] = Span(
            assignment.source, assignment.equals + 1, len(assignment.source.text)
        )
        return
    new = getattr(copy, rule.name)[0]
    if rule.message is None:
        held[index] = new
    else:
        held[index].CopyFrom(new)
    places[(*path, rule.name, index)] = Span(
        assignment.source, assignment.equals + 1, len(assignment.source.text)
    )


def _as_text(rule: Rule, value: str, *, single: bool) -> str:
    """The value as the text format wants it: strings in quotes, lists in brackets."""
    bare = value.strip()
    if rule.field.type == _TEXT_TYPE and bare[:1] not in ("'", '"', "["):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if rule.repeated and not single and "," in bare and bare[:1] not in ("[", "{", "'", '"'):
        return f"[{value}]"
    return value


def _moved(span: Span | None, assignment: Assignment, offset: int) -> Span:
    """A span of the filled text as one of what the user gave."""
    end = len(assignment.source.text)
    least = assignment.equals + 1
    if span is None:
        return Span(assignment.source, least, end)
    start = min(max(span.start + offset, least), end)
    return Span(assignment.source, start, max(start, min(span.end + offset, end)))


class _WithSettings(SpanMap):
    """The places of a file's fields, with those that were set beside it."""

    def __init__(self, base: SpanMap, places: Mapping[Path, Span]) -> None:
        super().__init__(base.source)
        self._file = base
        self._places = places

    def name(self, path: Path) -> Span | None:
        return self._set(path) or self._file.name(path)

    def value(self, path: Path) -> Span | None:
        return self._set(path) or self._file.value(path)

    def field(self, path: Path) -> Span | None:
        return self._set(path) or self._file.field(path)

    def with_aliases(self, mapping: Mapping[Path, Path]) -> SpanMap:
        """Settings keep their paths."""
        return _WithSettings(self._file.with_aliases(mapping), self._places)

    def paths(self) -> Iterator[Path]:
        yield from self._file.paths()
        known = set(self._file.paths())
        yield from (path for path in self._places if path not in known)

    def _set(self, path: Path) -> Span | None:
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return None
