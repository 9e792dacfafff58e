"""Nets as people look at them: drawings, and the tables of layers and of params.

Knows compiled nets, terminal cells and colours. Has never heard of files, of the command line,
nor of arrays.

`chart` decides what is shown of a net, `fold` what repeats and is left out; `lanes` lays a chart
onto lanes and `rails` draws them; `ranks` puts it in ranks, `tracks` routes the lines between
them and `boxes` draws these. `table` fits columns to a width, `cells` measures, `palette` colours.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from netdef.view.params import ParamRow, params, params_rows
from netdef.view.summary import Row, summary, summary_rows

if TYPE_CHECKING:
    from netdef.diag import Report
    from netdef.graph import Net

__all__ = [
    "FORMATS",
    "ParamRow",
    "Row",
    "draw",
    "params",
    "params_rows",
    "summary",
    "summary_rows",
]

FORMATS = ("auto", "rails", "boxes", "ascii", "dot", "mermaid", "json")

_NARROWEST = 40
_BOXES_BELOW = 12
_FOLDED_ABOVE = 30
_WITH_BATCH_UP_TO = 12


def draw(
    net: Net,
    *,
    format: str = "auto",
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    expand: Collection[str] = (),
    report: Report | None = None,
) -> str:
    """A net as a diagram, as text that ends with a line break.

    Args:
        net: compiled; what is unknown in it is drawn with `?`.
        format: one of `FORMATS`. `auto` draws boxes for a net of fewer than 12 layers (not
            counting those in place) where they fit, else rails; `ascii` does so in ASCII.
            `boxes` too are drawn as rails where no form of them fits the width.
        width: cells of a line, at least 40; None for 80.
        color: with ANSI colours; of no effect on dot, mermaid and json.
        unicode: False draws with ASCII characters only.
        expand: names of blocks to show although they repeat an earlier one; `all` for all.
        report: its errors and warnings are drawn at their layers.

    Raises:
        ValueError: no such format.
    """
    from netdef.view import boxes, chart, fold, palette, rails

    if format not in FORMATS:
        raise ValueError(f"no such format: {format}, but {', '.join(FORMATS)}")
    whole = chart.chart(net, report)
    if format in ("dot", "mermaid", "json"):
        from netdef.view import exchange

        return exchange.WRITERS[format](whole)
    room = max(width or 80, _NARROWEST)
    unicode = unicode and format != "ascii"
    if not unicode:
        whole = chart.spelled(whole)
    small = len(whole.items) < _BOXES_BELOW
    lines = None
    if format == "boxes" or (format != "rails" and small):
        lines = boxes.draw(whole, room)
    if lines is None:
        folds = len(whole.items) > _FOLDED_ABOVE
        shown = fold.fold(whole, expand) if folds else fold.bracket(whole)
        batch = whole.batch is None or len(whole.items) <= _WITH_BATCH_UP_TO
        lines = rails.draw(shown, room, batch=batch)
    return palette.join(lines, color=color, unicode=unicode)
