"""Several observers of one net."""

from __future__ import annotations

from netdef.plan import Step
from netdef.run.net import Net
from netdef.run.observer import Observer


class Together:
    """Hands each call on to several observers."""

    def __init__(self, observers: tuple[Observer, ...]) -> None:
        self.observers = observers

    def ran_forward(self, step: Step) -> None:
        """As in `Observer`."""
        for observer in self.observers:
            observer.ran_forward(step)

    def before_backward(self, step: Step) -> None:
        """As in `Observer`."""
        for observer in self.observers:
            observer.before_backward(step)

    def ran_backward(self, step: Step) -> None:
        """As in `Observer`."""
        for observer in self.observers:
            observer.ran_backward(step)


def observe(net: Net, observer: Observer) -> None:
    """Let one more look at a net."""
    net.observer = Together((*_of(net), observer))


def leave(net: Net, observer: Observer) -> None:
    """Let one of them look no more."""
    rest = tuple(other for other in _of(net) if other is not observer)
    net.observer = Together(rest) if rest else None


def _of(net: Net) -> tuple[Observer, ...]:
    if net.observer is None:
        return ()
    return net.observer.observers if isinstance(net.observer, Together) else (net.observer,)
