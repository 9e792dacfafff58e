"""What a drawing's last line says of the whole net."""

from __future__ import annotations

from netdef.view import palette, words
from netdef.view.chart import Chart, learned


def totals(chart: Chart, batch: int | None) -> str:
    """The line under a drawing: layers, params, MACs."""
    text = words.plural(len(chart.net.nodes), "layer")
    hidden = [f"{chart.in_place} in place"] if chart.in_place else []
    hidden += [f"{chart.hung} behind their producer"] if chart.hung else []
    text += f" ({' and '.join(hidden)}, folded)" if hidden else ""
    text += f", {len(chart.items)} of {chart.whole} rows shown" if chart.whole else ""
    if chart.other is not None:
        text += ", " + _changes(chart)
    values = chart.params
    exact = f"{values:,}" if values < 100_000 else words.count(values)
    known = all(top.shape is not None for item in chart.items for top in item.tops)
    least = "" if known else "at least "
    if values:
        text += f", {least}{exact} parameters ({words.size(4 * values)})"
    elif known:
        text += ", no parameters"
    text += f", {chart.twice}" if chart.twice else ""
    if chart.macs:
        text += f", {words.count(chart.macs // (batch or 1))} MACs"
        whole = f" a batch of {chart.batch}" if (chart.batch or 1) > 1 else ""
        text += " an image" if batch and batch != 1 else whole
    return text


def _changes(chart: Chart) -> str:
    """`2 added, 1 removed, 3 changed`, and how the params changed."""
    assert chart.other is not None
    counts = [(s, sum(i.change == s for i in chart.items)) for s in palette.CHANGES]
    text = ", ".join(f"{n} {palette.CHANGES[s]}" for s, n in counts if n) or "nothing changed"
    before = learned(chart.other)
    return text + (f", {before:,} → {chart.params:,} values" if before != chart.params else "")
