"""Mistakes mended in the text: what `netdef check --fix` writes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from netdef.api.checking import Wanted, check_file
from netdef.api.loading import StrPath
from netdef.diag import Problem, Report

if TYPE_CHECKING:
    from netdef.api.texts import Rewritten

# A fix may show the next mistake. Each round mends all that is seen; who needs more than this
# has other troubles.
_MOST_ROUNDS = 50


def fix(path: StrPath, wanted: Wanted | None = None) -> tuple[Rewritten, int]:
    """A net's or solver's text with all mended that can be mended safely.

    Nothing is written; `Rewritten.write` does.

    Args:
        path: the file; one that is no UTF-8 text is left as it is.
        wanted: as for `check`; None for its defaults.

    Returns:
        The text before and after, and how many problems were mended.
    """
    from netdef.api.texts import Rewritten

    name = os.fspath(path)
    wanted = wanted or Wanted()
    before = b""
    try:
        before = Path(path).read_bytes()
        text = before.decode("utf-8")
    except (OSError, ValueError):  # reported by whoever checks the file afterwards
        return Rewritten(name, before, before), 0
    mended = 0
    seen = {text}
    for _ in range(_MOST_ROUNDS):
        report = Report()
        check_file(path, wanted, report, text)
        text, count = apply_fixes(text, (p for p in report if p.file == name))
        if not count or text in seen:
            break
        seen.add(text)
        mended += count
    return Rewritten(name, before, text.encode("utf-8")), mended


def apply_fixes(text: str, problems: Iterable[Problem]) -> tuple[str, int]:
    """A text with its problems' safe fixes applied, from the end to the start.

    Args:
        text: what the problems' places count in.
        problems: of that text only. One whose fixes meet another's waits for the next round.

    Returns:
        The text, and how many problems were mended.
    """
    chosen: set[tuple[int, int, str]] = set()
    count = 0
    for problem in problems:
        if not problem.fixable:
            continue
        edits = {(fix.span.start, fix.span.end, fix.replacement) for fix in problem.fixes}
        if edits <= chosen:
            continue  # the same mistake seen in another state of the net
        if any(_meet(one, other) for one in edits for other in chosen - edits):
            continue
        chosen |= edits
        count += 1
    for start, end, replacement in sorted(chosen, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text, count


def _meet(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Whether two edits touch the same characters, or insert at one place."""
    return one[0] <= other[1] and other[0] <= one[1]
