"""A curve as a few lines of text: one column a value."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, log10

from netdef.view.cells import pad, width

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LOW = 8.0  # where half of the values are less than the greatest by this factor, bars vanish


def curve(values: Sequence[float], height: int = 6, *, unicode: bool = True) -> list[str]:
    """Bars from 0 to the greatest value, on a logarithmic axis where most would be too low.

    Args:
        values: one for each column; what is not finite leaves its column empty.
        height: lines.
        unicode: False for ASCII.

    Returns:
        The lines, the values of the top and the bottom at their left.
    """
    known = [value for value in values if isfinite(value)]
    top = max(known, default=0.0)
    least = min((value for value in known if value > 0), default=top)
    middle = sorted(known)[len(known) // 2] if known else top
    steep = top > least and min(known) >= 0 and middle * _LOW <= top
    if steep:
        floor = 10 ** (log10(least) - log10(top / least) / (8 * height))  # the least has a bar
        shares = [_share(log10(v / floor), log10(top / floor)) if v > 0 else 0.0 for v in values]
    else:
        floor = min(0.0, min(known, default=0.0))
        shares = [_share(v - floor, top - floor) for v in values]
    labels = [f"{top:.3g}", f"{least if steep else floor:.3g}" + (" log" if steep else "")]
    wide = max(map(width, labels))
    lines = []
    for row in range(height - 1, -1, -1):
        label = labels[0] if row == height - 1 else labels[1] if row == 0 else ""
        bars = "".join(_bar(share * height - row, unicode=unicode) for share in shares)
        lines.append(f"{pad(label, wide, right=True)} {'│' if unicode else '|'}{bars}".rstrip())
    return lines


def _share(part: float, whole: float) -> float:
    if not isfinite(part):
        return 1.0 if part == inf else 0.0
    return part / whole if whole > 0 else 0.0


def _bar(filled: float, *, unicode: bool) -> str:
    """One cell, of which a part is filled from below."""
    eighths = min(max(round(filled * 8), 0), 8)
    if unicode:
        return _EIGHTHS[eighths]
    return "#" if eighths >= 4 else " "
