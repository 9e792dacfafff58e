"""A first loss that is far above that of chance."""

from __future__ import annotations

from collections.abc import Iterator

from netdef.diag import Problem, Severity
from netdef.doctor.figures import Figures
from netdef.doctor.findings import common

_FAR = 4.0


class FarFromChance(Problem):
    """The first loss is far above that of answers that know nothing.

    A classifier of 10 classes starts at ln 10 = 2.303. A first loss far above says that the
    scores start large, and that training first has to make them small again. 87.3365 means
    that the right class has the probability 0.

    Write smaller weights in the layer before the loss:
        weight_filler { type: "xavier" }
    """

    code = "N812"
    default_severity = Severity.WARNING


def far_from_chance(figures: Figures) -> Iterator[Problem]:
    """Compare the first loss with chance."""
    chance = figures.chance
    if chance is None or not figures.losses or figures.copied or chance.value <= 0:
        return
    node = figures.net.nodes[chance.node]
    if node.type == "EuclideanLoss" or not figures.losses[0] > _FAR * chance.value:
        return
    scores = common.inputs_of(figures, node)
    notes: tuple[str, ...] = ()
    if scores is not None:
        notes = (
            f"`{scores.blob}` goes from {common.number(scores.data.least)} to "
            f"{common.number(scores.data.most)}",
        )
    yield FarFromChance(
        f"the first loss is {common.number(figures.losses[0])}; chance is "
        f"{common.number(chance.value)} ({chance.words})",
        common.at(figures.net, node, "type"),
        label="starts far too high",
        notes=notes,
        help='write `weight_filler { type: "xavier" }` in the layers before it',
    )
