"""A chart's texts in ASCII."""

from __future__ import annotations

from dataclasses import replace

from netdef.view import words
from netdef.view.chart import Chart


def spelled(whole: Chart) -> Chart:
    """The chart in ASCII as far as its texts go; a few signs are left for `palette`."""
    items = tuple(
        replace(
            item,
            name=words.ascii(item.name),
            kind=words.ascii(item.kind),
            settings=words.ascii(item.settings),
            notes=tuple(map(words.ascii, item.notes)),
            reads=tuple(map(words.ascii, item.reads)),
            wires=tuple(replace(w, blobs=tuple(map(words.ascii, w.blobs))) for w in item.wires),
            tops=tuple(replace(top, name=words.ascii(top.name)) for top in item.tops),
        )
        for item in whole.items
    )
    shares = tuple(
        replace(share, params=tuple((words.ascii(name), shape) for name, shape in share.params))
        for share in whole.shares
    )
    return replace(whole, items=items, shares=shares)
