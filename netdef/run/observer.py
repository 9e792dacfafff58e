"""Who looks at a net while it runs, step by step."""

from __future__ import annotations

from typing import Protocol

from netdef.plan import Step


class Observer(Protocol):
    """Is called between the steps of a net; reads the arrays of their values, writes none.

    A net with an observer runs one step after the other, each by itself, so that every value is
    there when it is looked at: also what a layer in place writes over later.
    """

    def ran_forward(self, step: Step) -> None:
        """The step's tops are there."""

    def before_backward(self, step: Step) -> None:
        """The gradients of the step's tops are complete."""

    def ran_backward(self, step: Step) -> None:
        """The step has given its bottoms their gradients."""
