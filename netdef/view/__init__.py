"""Nets as people look at them: drawings, and the tables of layers and of params.

Knows compiled nets, terminal cells and colours. Has never heard of files, of the command line,
nor of arrays.

`chart` decides what is shown of a net, `fold` what repeats and is left out; `lanes` lays a chart
onto lanes and `rails` draws them; `ranks` puts it in ranks, `tracks` routes the lines between
them and `boxes` draws these; `picture` does so in pixels for `svg` and for the `page` that one
can search and fold. `part` cuts a piece out of a chart, `compare` makes one of two nets, `blocks`
finds what `fold` folds. `table` fits columns to a width, `cells` measures, `palette` colours.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from netdef.view.params import ParamRow, params, params_csv, params_json, params_rows
from netdef.view.part import NoSuchLayer
from netdef.view.summary import Row, summary, summary_csv, summary_json, summary_rows

if TYPE_CHECKING:
    from netdef.diag import Report
    from netdef.graph import Net
    from netdef.view.chart import Chart

__all__ = [
    "FORMATS",
    "NoSuchLayer",
    "ParamRow",
    "Row",
    "draw",
    "params",
    "params_csv",
    "params_json",
    "params_rows",
    "summary",
    "summary_csv",
    "summary_json",
    "summary_rows",
]

FORMATS = ("auto", "rails", "boxes", "ascii", "dot", "mermaid", "svg", "html", "json")

_NARROWEST = 40
_BOXES_BELOW = 12
_FOLDED_ABOVE = 30
_WITH_BATCH_UP_TO = 12


def draw(
    net: Net,
    other: Net | None = None,
    *,
    format: str = "auto",
    width: int | None = None,
    color: bool = False,
    unicode: bool = True,
    expand: Collection[str] = (),
    depth: int | None = None,
    start: Collection[str] = (),
    end: Collection[str] = (),
    around: Collection[str] = (),
    report: Report | None = None,
) -> str:
    """A net as a diagram, as text that ends with a line break.

    Args:
        net: compiled; what is unknown in it is drawn with `?`.
        other: a second net: both are drawn as one, with what `other` adds, lacks and changes.
        format: one of `FORMATS`. `auto` draws boxes for a net of fewer than 12 layers (not
            counting those in place) where they fit, else rails; `ascii` does so in ASCII.
            `boxes` too are drawn as rails where no form of them fits the width. `html` is a
            page that needs no other file.
        width: cells of a line, at least 40; None for 80.
        color: with ANSI colours, in rails and boxes.
        unicode: False draws with ASCII characters only.
        expand: names of blocks to show although they repeat an earlier one; `all` for all.
        depth: show this many parts of names, and each block below as one row: with 1,
            `inception_3a/…` is one. None folds only what repeats.
        start: show only what depends on these layers.
        end: show only what these layers depend on.
        around: show only what is at most two wires away from these layers.
        report: its errors and warnings are drawn at their layers.

    Raises:
        ValueError: no such format.
        NoSuchLayer: a name is that of no layer, or for `expand` of no block.
    """
    from netdef.view import boxes, chart, palette, part, rails

    if format not in FORMATS:
        raise ValueError(f"no such format: {format}, but {', '.join(FORMATS)}")
    if other is None:
        whole = chart.chart(net, report)
    else:
        from netdef.view.compare import compare

        whole = compare(net, other, report)
    unicode = unicode and format != "ascii"
    _check_blocks(whole, expand)
    if start or end or around:
        whole = part.cut(whole, start, end, around)
    if format in ("dot", "mermaid", "json", "svg", "html"):
        return _exchanged(whole, format, expand, depth)
    room = max(width or 80, _NARROWEST)
    if not unicode:
        from netdef.view.spell import spelled

        whole = spelled(whole)
    small = len(whole.items) < _BOXES_BELOW and other is None
    lines = None
    if format == "boxes" or (format != "rails" and small):
        lines = boxes.draw(whole, room)
    if lines is None:
        batch = whole.batch is None or len(whole.items) <= _WITH_BATCH_UP_TO
        lines = rails.draw(_folded(whole, expand, depth), room, batch=batch)
    return palette.join(lines, color=color, unicode=unicode)


def _check_blocks(whole: Chart, expand: Collection[str]) -> None:
    if not set(expand) - {"all"}:
        return
    from netdef.view import blocks

    known = {block.name for block in blocks.closed_blocks(whole)}
    known |= {block.name for block in blocks.blocks(whole)}
    known |= {item.name for item in whole.items}
    known |= {name.rsplit("/", n)[0] for name in known for n in range(1, name.count("/") + 1)}
    for name in expand:
        if name != "all" and name not in known:
            raise NoSuchLayer(name, known, "block")


def _folded(whole: Chart, expand: Collection[str], depth: int | None) -> Chart:
    from netdef.view import fold

    if depth is not None:
        return fold.shallow(whole, depth, expand)
    return fold.fold(whole, expand) if len(whole.items) > _FOLDED_ABOVE else fold.bracket(whole)


def _exchanged(whole: Chart, format: str, expand: Collection[str], depth: int | None) -> str:
    """A chart in a form for other programs."""
    if format == "html":
        from netdef.view import page

        return page.html(whole)
    if format == "svg":
        from netdef.view import svg

        return svg.svg(_folded(whole, expand, depth))
    from netdef.view import exchange

    if format != "json" and depth is not None:
        whole = _folded(whole, expand, depth)
    return exchange.WRITERS[format](whole)
