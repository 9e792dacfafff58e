"""What threads that each compute some channels have read and written since they last met."""

from __future__ import annotations

from typing import NamedTuple

from netdef.layers.base import Array
from netdef.plan import Step


class _Span(NamedTuple):
    """Addresses of the first byte, and of the one after the last."""

    begin: int
    end: int


class Touched:
    """The memory that each of several threads has touched.

    Args:
        count: of the threads.
    """

    def __init__(self, count: int) -> None:
        self._read: list[list[_Span]] = [[] for _ in range(count)]
        self._written: list[list[_Span]] = [[] for _ in range(count)]

    def add(self, step: Step) -> None:
        """Note what a step's runs read and write, where it is cut by channels."""
        if not step.lanes:
            return  # shards have nothing in common, and others run alone
        for thread, run in enumerate(step.forward_runs):
            self._read[thread] += map(_span, run.bottoms)
            self._written[thread] += map(_span, run.tops)

    def clashes(self, step: Step) -> bool:
        """Whether a step's run touches what another thread has written, or writes what it read."""
        for thread, run in enumerate(step.forward_runs if step.lanes else ()):
            reads, writes = list(map(_span, run.bottoms)), list(map(_span, run.tops))
            for other in range(len(self._read)):
                if other != thread and (
                    _meet(reads + writes, self._written[other]) or _meet(writes, self._read[other])
                ):
                    return True
        return False


def _span(array: Array) -> _Span:
    assert array.flags.c_contiguous, "channels lie one after the other"
    begin = array.__array_interface__["data"][0]
    return _Span(begin, begin + array.nbytes)


def _meet(some: list[_Span], others: list[_Span]) -> bool:
    return any(a.begin < b.end and b.begin < a.end for a in some for b in others)
