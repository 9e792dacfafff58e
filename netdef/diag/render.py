"""Problems as people read them: the line, the span underlined, what to write instead.

The look is that of the Rust compiler; see `full` for an example.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netdef.diag.problem import Problem, Severity
from netdef.diag.source import Source, Span

_TAB = "    "
_MOST_SHOWN = 20

# ANSI codes rather than rich: an error must not pay for importing it.
_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}
_RESET = "\033[0m"


def render(problems: Iterable[Problem], *, color: bool = False) -> str:
    """All problems in full, then a line that counts them.

    Args:
        problems: a report, or any problems.
        color: use ANSI colours.
    """
    found = list(problems)
    parts = [full(p, color=color) for p in found[:_MOST_SHOWN]]
    if len(found) > _MOST_SHOWN:
        parts.append(f"... and {len(found) - _MOST_SHOWN} more")
    if found:
        parts.append(summary(found))
    return "\n\n".join(parts)


def summary(problems: Iterable[Problem]) -> str:
    """`2 errors, 1 warning`, and how many can be fixed; `no problems` where there are none."""
    counts = dict.fromkeys(Severity, 0)
    fixable = 0
    for problem in problems:
        counts[problem.severity] += 1
        fixable += problem.fixable
    words = [f"{n} {s.value}{'s' * (n != 1)}" for s, n in counts.items() if n]
    tail = f" ({fixable} fixable with `netdef check --fix`)" if fixable else ""
    return (", ".join(words) or "no problems") + tail


def concise(problem: Problem) -> str:
    """`lenet.prototxt:3:9: error[N201]: unknown layer type ...` on one line."""
    place = f"{problem.span}: " if problem.span else ""
    return printable(f"{place}{problem.severity.value}[{problem.code}]: {problem.message}")


def full(problem: Problem, *, color: bool = False) -> str:
    """One problem with its source lines.

    Looks like:
        error[N201]: unknown layer type `InnerProdct`
         --> lenet.prototxt:3:9
          |
        3 |   type: "InnerProdct"
          |         ^^^^^^^^^^^^^ no such layer
          = help: the nearest known type is `InnerProduct`
    """
    paint = _Paint(on=color)
    kind = paint(_COLOURS[problem.severity], f"{problem.severity.value}[{problem.code}]")
    lines = [f"{kind}{paint('1', ': ' + printable(problem.message))}"]
    marks = [] if problem.span is None else [(problem.span, problem.label, "^")]
    marks += [(label.span, label.text, "-") for label in problem.labels]
    width = max((len(str(span.begin.line)) for span, _, _ in marks), default=1)
    bar = paint("1;34", " " * width + " |")
    for number, (source, group) in enumerate(_by_source(marks)):
        line, column = group[0][0].begin if number else marks[0][0].begin
        arrow = ":::" if number else "-->"
        place = printable(f"{source.name}:{line}:{column}")
        lines.append(f"{' ' * width}{paint('1;34', arrow)} {place}")
        lines.append(bar)
        lines.extend(_snippet(source, group, width, paint))
    tail = [("note", note) for note in problem.notes]
    tail += [("help", problem.help)] if problem.help else []
    for word, text in tail:
        head = f"{' ' * width} {paint('1;34', '=')} {paint('1', word)}: "
        indent = "\n" + " " * (width + 3 + len(word) + 2)
        lines.append(head + indent.join(printable(part) for part in text.split("\n")))
    return "\n".join(lines)


class _Paint:
    """Wraps text in an ANSI colour, or leaves it."""

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def __call__(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}{_RESET}" if self.on else text


_Mark = tuple[Span, str, str]


def _by_source(marks: list[_Mark]) -> Iterator[tuple[Source, list[_Mark]]]:
    """Marks grouped by source, the primary's first, each group from top to bottom."""
    groups: dict[int, list[_Mark]] = {}
    for mark in marks:
        groups.setdefault(id(mark[0].source), []).append(mark)
    for group in groups.values():
        yield group[0][0].source, sorted(group, key=lambda mark: mark[0].start)


def _snippet(source: Source, marks: list[_Mark], width: int, paint: _Paint) -> Iterator[str]:
    last = None
    for span, text, char in marks:
        line, column = span.begin
        if line != last:
            if last is not None and line > last + 1:
                yield paint("1;34", " " * width + " :")
            shown = source.line(line).replace("\t", _TAB)
            yield f"{paint('1;34', f'{line:>{width}} |')} {printable(shown)}".rstrip()
        last = line
        before = source.line(line)[: column - 1].replace("\t", _TAB)
        end = span.finish
        until = end.column - 1 if end.line == line else len(source.line(line))
        inside = source.line(line)[column - 1 : until].replace("\t", _TAB)
        under = " " * _cells(before) + char * max(1, _cells(inside))
        words = printable(f"{under} {text}".rstrip())
        marked = paint("1;31" if char == "^" else "1;34", words)
        yield f"{paint('1;34', ' ' * width + ' |')} {marked}"


def _cells(text: str) -> int:
    """Terminal columns a text takes: wide East Asian characters take two."""
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def printable(text: str) -> str:
    """Control characters shown as pictures, so that no file can drive the terminal."""
    return text if text.isprintable() else "".join(_picture(c) for c in text)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 32 or code == 127:
        return "␡" if code == 127 else chr(0x2400 + code)
    other = 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000
    return "\N{REPLACEMENT CHARACTER}" if other else char
