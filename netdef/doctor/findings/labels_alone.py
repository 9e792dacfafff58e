"""Labels that have nothing to do with the data."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.doctor.figures import Figures

_NOTHING = 0.04  # mean cosine, give or take 0.02; of labels that go with their data 0.15 to 0.6
_LEARNED = 0.9  # of chance: a loss below it has learned something
_FEWEST = 256


class LabelsTellNothing(Problem):
    """Swapping the labels of a batch does not change where the gradients point.

    With labels that go with their data, what they add to the gradient points the same way in
    every batch. Here it points anywhere: either labels and data are not in the same order (one
    of two files shuffled, a crop of another image), or the labels are not about these data.

    Look at a few pairs. Shuffle data and labels together, never one of them.
    """

    code = "N811"
    default_severity = Severity.WARNING


def labels_alone(figures: Figures) -> Iterator[Problem]:
    """Read the test of the labels; it says nothing where other things are wrong."""
    test = figures.labels
    if test is None or test.samples < _FEWEST or test.cosine >= _NOTHING:
        return
    chance = figures.chance
    if chance is not None and figures.losses and figures.losses[-1] < _LEARNED * chance.value:
        return
    node = figures.net.nodes[test.node]
    notes = [
        f"mean cosine {test.cosine:.3f} between the batches of what the right labels add to the "
        f"gradient, over {test.samples:,} examples",
    ]
    if chance is not None and figures.losses:
        notes.append(
            f"the loss is {figures.losses[-1]:.3g} after {len(figures.losses)} iterations; "
            f"chance is {chance.value:.3g} ({chance.words})"
        )
    yield LabelsTellNothing(
        f"the labels in `{test.blob}` have nothing to do with the data",
        figures.net.span((*node.path, "name")),
        label="gives data and labels",
        notes=tuple(notes),
        help="look at a few examples with their labels: were they shuffled apart?",
    )
