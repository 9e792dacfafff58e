"""Lints: what trains badly, or was surely not meant. One file a lint; codes N700 to N799.

Knows compiled nets, and solvers with their nets, and what people who wrote them mostly meant.
Has never heard of arrays, of running a net, or of the command line.

A lint takes a net (or a solver's `SolverLook`) and yields problems; it looks only at nets in
which nothing is wrong, and says nothing where it cannot know. Its docstring has the reason, an
example and what to write. `ignore` reads the comments that turn one off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netdef.diag import Problem, Report, Severity
from netdef.graph import Net
from netdef.lint.batch_norm_without_scale import batch_norm_without_scale
from netdef.lint.batch_statistics_in_test import batch_statistics_in_test
from netdef.lint.bias_decay_differs import bias_decay_differs
from netdef.lint.bias_without_multipliers import bias_without_multipliers
from netdef.lint.dropout_at_the_end import dropout_at_the_end
from netdef.lint.frozen_statistics import frozen_statistics
from netdef.lint.half_frozen import half_frozen
from netdef.lint.ignore import Ignored
from netdef.lint.label_unused import label_unused
from netdef.lint.learned_in_test_only import learned_in_test_only
from netdef.lint.look import SolverLook
from netdef.lint.loss_fed_by_softmax import loss_fed_by_softmax
from netdef.lint.loss_of_scores import loss_of_scores
from netdef.lint.missing_file import missing_file
from netdef.lint.missing_module import missing_module
from netdef.lint.missing_weights import missing_weights
from netdef.lint.no_iterations import no_iterations
from netdef.lint.outside_every_loss import outside_every_loss
from netdef.lint.partial_test import partial_test
from netdef.lint.rate_not_positive import rate_not_positive
from netdef.lint.starts_at_zero import starts_at_zero
from netdef.lint.step_never_comes import step_never_comes
from netdef.lint.vanishing_start import vanishing_start

__all__ = [
    "LINTS",
    "SOLVER_LINTS",
    "Ignored",
    "SolverLook",
    "lint_net",
    "lint_solver",
]

Lint = Callable[[Net], Iterator[Problem]]
SolverLint = Callable[[SolverLook], Iterator[Problem]]

LINTS: tuple[Lint, ...] = (
    batch_norm_without_scale,  # N701: normalised, and no learned factor behind
    frozen_statistics,  # N702: stored statistics in training, and layers before that learn
    batch_statistics_in_test,  # N703: the batch's own statistics in tests
    loss_fed_by_softmax,  # N704: a softmax of a softmax
    loss_of_scores,  # N705: the logarithm of what is no probability
    vanishing_start,  # N706: weights so small that nothing comes through
    bias_without_multipliers,  # N707: one layer without the second param block of the others
    bias_decay_differs,  # N708: one bias that decays
    label_unused,  # N709: a label that nobody reads
    dropout_at_the_end,  # N710: answers dropped before the loss
    outside_every_loss,  # N711: weights that no loss depends on
    learned_in_test_only,  # N712: weights that are never trained
    half_frozen,  # N713: weights frozen, bias not
    starts_at_zero,  # N714: no weight_filler
    missing_file,  # N715: a mean or a folder that is not there
    missing_module,  # N716: a Python layer's module that is not there
)

SOLVER_LINTS: tuple[SolverLint, ...] = (
    rate_not_positive,  # N720: base_lr at or below 0
    no_iterations,  # N721: max_iter missing
    step_never_comes,  # N722: a step of the rate behind max_iter
    partial_test,  # N723: test_iter × batch is not the test data
    missing_weights,  # N724: a weight file that is not there
)


def lint_net(net: Net, report: Report) -> None:
    """Add what the lints find in a net to a report.

    Args:
        net: compiled without errors; with some, lints would blame what follows from them.
        report: what was found before; a place with a problem gets no second one.
    """
    _add((problem for lint in LINTS for problem in lint(net)), report)


def lint_solver(look: SolverLook, report: Report) -> None:
    """Add what the lints find in a solver to a report; as `lint_net`."""
    _add((problem for lint in SOLVER_LINTS for problem in lint(look)), report)


def _add(found: Iterator[Problem], report: Report) -> None:
    before = {
        str(problem.span)
        for problem in report
        if problem.span is not None and problem.severity is not Severity.NOTE
    }
    for problem in found:
        if str(problem.span) not in before:
            report.add(problem)
