"""Values that are NaN or infinite."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.doctor.figures import Figures, Poison


class NotFinite(Problem):
    """A value became NaN or infinite while the net trained.

    One such value makes all weights NaN within an iteration. The message says where the first
    one is: what stands before it is still right. Usual causes: a rate that is too large, data
    that is not finite, a logarithm or a division of 0 in a layer of one's own.

    Example:
        base_lr: 10
    Write:
        base_lr: 0.01
    """

    code = "N801"
    default_severity = Severity.ERROR


def not_finite(figures: Figures) -> Iterator[Problem]:
    """Tell of the first value that is not finite."""
    if figures.poison is not None:
        yield problem_of(figures.poison, source=_is_source(figures, figures.poison))


def problem_of(poison: Poison, *, source: bool = False) -> Problem:
    """The problem for a value.

    Args:
        poison: the value.
        source: a layer without bottoms gave it.
    """
    more = f"{poison.count:,} values of it are not finite" if poison.count > 1 else ""
    help = "try a smaller `base_lr`, or `clip_gradients: 10` in the solver"
    if source:
        help = "look at the data: it holds values that are not finite"
    elif poison.way == "weights":
        help = "the update was too large: " + help
    return NotFinite(
        f"{poison}, in iteration {poison.iteration}",
        poison.span,
        label="here it begins; what stands before this layer is finite"
        if poison.way == "forward"
        else "here it begins",
        notes=(more,) if more else (),
        help=help,
    )


def _is_source(figures: Figures, poison: Poison) -> bool:
    return any(n.name == poison.layer and not n.bottoms for n in figures.net.nodes)
