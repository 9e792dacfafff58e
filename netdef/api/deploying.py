"""A net for deploying, from one for training."""

from __future__ import annotations

from collections.abc import Iterable

from netdef.api.loading import StrPath
from netdef.diag import Report
from netdef.graph import Net, State, compile_net
from netdef.graph.deploy import deploy as derive
from netdef.graph.deploy_problems import WeightsWillNotFit
from netdef.graph.problems import show_shape
from netdef.layers.base import Phase, Shape
from netdef.schema.document import Document, net_from_text, read_net
from netdef.schema.rewrite import rewrite


def deploy(
    path: StrPath,
    *,
    input_shapes: dict[str, Shape] | None = None,
    level: int = 0,
    stages: Iterable[str] = (),
    report: Report | None = None,
) -> str:
    """The text of the net for deploying that a net for training gives.

    Args:
        path: the prototxt of the net for training.
        input_shapes: shapes of inputs, by blob name, in place of those the data tells.
        level: of the TEST state that is deployed.
        stages: of the TEST state that is deployed.
        report: takes warnings and notes.

    Raises:
        NetdefError: the file has mistakes, an input's shape is not known, or there is nothing
            to deploy.
    """
    report = Report() if report is None else report
    document = read_net(path, report)
    report.raise_if_errors()
    assert document is not None
    stages = frozenset(stages)
    made = derive(document, report, input_shapes=input_shapes, level=level, stages=stages)
    text = None
    if made is not None:
        text = rewrite(
            document.source,
            made.message,
            made.places,
            report,
            keep_all_comments=False,
            notes=made.notes,
        )
    report.raise_if_errors()
    assert text is not None
    _compare(document, State(Phase.TEST, level, stages), text, report)
    return text


def _compare(document: Document, state: State, text: str, report: Report) -> None:
    """Report mistakes that only the deploy net has, and weights of other shapes."""
    before = compile_net(document, state, Report(), looking=True)
    found = Report()
    now = net_from_text(text, "the deploy net", found)
    after = compile_net(now, State(Phase.TEST), found, looking=True)
    for problem in found.errors:
        report.add(problem)
    wanted = _shapes(before)
    for name, shapes in _shapes(after).items():
        if wanted.get(name, shapes) != shapes:
            report.add(
                WeightsWillNotFit(
                    f"layer `{name}` has weights {_words(shapes)}, and {_words(wanted[name])} in "
                    "the training net",
                    help="give the size it was trained with to --input-shape",
                )
            )


def _shapes(net: Net) -> dict[str, list[Shape]]:
    return {n.name: [p.shape for p in n.learned] for n in net.nodes if n.learned}


def _words(shapes: list[Shape]) -> str:
    return ", ".join(map(show_shape, shapes))
