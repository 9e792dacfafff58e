"""The learning rate found by trying: a rate that rises from iteration to iteration.

As long as it is far too small, the loss stands; where it is right, the loss falls; where it is
too large, the loss flies off. The rate to train with lies where it falls fastest.

Source: Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, isfinite, log

from netdef.doctor.findings.common import rounded
from netdef.run.moment import unchanged
from netdef.run.solver import Solver

_REMEMBER = 0.9  # of the smoothed loss
_FLOWN = 4.0  # times the least loss: no larger rate is worth trying
_SAFE = 3.0  # the rate to take is that much below the one where the loss falls fastest
_FELL = 0.98  # the loss has to fall below this part of the first to say anything


@dataclass(frozen=True, slots=True)
class Range:
    """What a range test found.

    Attributes:
        rates: of each iteration.
        losses: of each iteration.
        smoothed: losses, each with those before it.
        steepest: rate at which the loss falls fastest; None where it never falls.
        flown: rate at which the loss flew off; None where it did not.
        suggested: to train with; None where the loss never falls.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float | None
    flown: float | None
    suggested: float | None


def try_rates(
    solver: Solver,
    iterations: int = 100,
    low: float = 1e-6,
    high: float = 10.0,
    each: Callable[[int, float, float], object] | None = None,
) -> Range:
    """Train with a rate that rises evenly on a logarithmic scale.

    Args:
        solver: it stands afterwards where it stood; nothing is tested, shown or written.
        iterations: how many, fewer where the loss flies off.
        low: the first rate.
        high: the last one.
        each: is called with number, rate and loss of each iteration.
    """
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    flown = None
    average = 0.0
    net = solver.net
    with unchanged(solver):
        for number in range(iterations):
            rate = low * exp(log(high / low) * number / max(1, iterations - 1))
            net.clear_param_diffs()
            loss = 0.0
            for _ in range(solver.param.iter_size):
                net.forward()
                net.backward()
                loss += net.loss / solver.param.iter_size
            rates.append(rate)
            losses.append(loss)
            average = _REMEMBER * average + (1 - _REMEMBER) * loss
            smoothed.append(average / (1 - _REMEMBER ** (number + 1)))
            if each is not None:
                each(number, rate, loss)
            if not isfinite(loss) or smoothed[-1] > _FLOWN * min(smoothed):
                flown = rate
                break
            solver.apply_update(rate)
    steepest = _steepest(rates, smoothed)
    suggested = None if steepest is None else float(rounded(steepest / _SAFE))
    return Range(tuple(rates), tuple(losses), tuple(smoothed), steepest, flown, suggested)


def _steepest(rates: list[float], smoothed: list[float]) -> float | None:
    """Where the loss falls fastest before its least value."""
    known = [s for s in smoothed if isfinite(s)]
    if len(known) < 5:
        return None
    least = min(range(len(known)), key=lambda i: known[i])
    if known[least] > _FELL * known[0]:
        return None
    wide = max(1, len(known) // 20)
    slopes = [(known[min(i + wide, least)] - known[max(i - wide, 0)], i) for i in range(least + 1)]
    return rates[min(slopes)[1]]
