"""Which lines of netdef an input runs, at a cost that falls as fewer of them are new."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

_PACKAGE = "/netdef/"
_GENERATED = "_pb2"


class Lines:
    """Counts lines of netdef that no input ran before.

    Python 3.12 tells each line once and then never again, which costs nothing (sys.monitoring);
    before, frames are traced, and code whose lines have all been seen is left alone.
    """

    def __init__(self) -> None:
        self.new = 0
        self._left: dict[CodeType, set[int]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Lines that have been run."""
        return self._count

    def run(self, function: Any, *arguments: Any) -> int:
        """Call a function; how many new lines it ran."""
        self.new = 0
        if sys.version_info >= (3, 12):
            return self._monitored(function, *arguments)
        sys.settrace(self._call)
        try:
            function(*arguments)
        finally:
            sys.settrace(None)
        return self.new

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        left = self._of(frame.f_code)
        return self._line if left else None

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            self._seen(frame.f_code, frame.f_lineno)
        return self._line

    def _seen(self, code: CodeType, line: int) -> None:
        left = self._of(code)
        if line in left:
            left.remove(line)
            self.new += 1
            self._count += 1

    def _of(self, code: CodeType) -> set[int]:
        left = self._left.get(code)
        if left is None:
            name = code.co_filename
            ours = _PACKAGE in name and _GENERATED not in name
            left = self._left[code] = set(_lines_of(code)) if ours else set()
        return left

    def _monitored(self, function: Any, *arguments: Any) -> int:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        tool = monitoring.COVERAGE_ID
        monitoring.use_tool_id(tool, "netdef fuzz")

        def line(code: CodeType, number: int) -> Any:
            self._seen(code, number)
            return monitoring.DISABLE

        monitoring.register_callback(tool, monitoring.events.LINE, line)
        monitoring.set_events(tool, monitoring.events.LINE)
        try:
            function(*arguments)
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)
        return self.new


def _lines_of(code: CodeType) -> set[int]:
    # the first line is that of the `def`, which is no line event of the call
    return {line for _, _, line in code.co_lines() if line} - {code.co_firstlineno}
