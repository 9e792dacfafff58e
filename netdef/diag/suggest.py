"""Near names for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names nearest to `name`, best first; empty where none is near.

    Letter case and `_` do not count as differences: `inner_product` finds `InnerProduct`.
    """
    from difflib import get_close_matches  # 8 ms that only a mistake pays

    folded: dict[str, str] = {}
    for other in known:
        folded.setdefault(other.replace("_", "").lower(), other)
    found = get_close_matches(name.replace("_", "").lower(), folded, n=most, cutoff=0.6)
    return [folded[f] for f in found]


def surely(name: str, known: Iterable[str], *, ends_kept: bool = False) -> str | None:
    """The one known name that a misspelt one can only mean; None where that is not certain.

    It differs in letter case and `_` only, or by one slip of a finger (a letter wrong, missing,
    too many, or two swapped; two slips in long names), and no other name is as near.
    Digits are never slips.

    Args:
        name: as it was written.
        known: the names that it could be.
        ends_kept: the name begins and ends alike and is at most a letter longer or shorter, as
            names of algorithms grow by syllables: `NAdam`, `ConvolutionDW`, `BatchReNorm`. In
            exchange three letters are enough for a slip.
    """
    folded: dict[str, set[str]] = {}
    for other in known:
        folded.setdefault(_fold(other), set()).add(other)
    mine = _fold(name)
    if mine in folded:
        (same, *more) = folded[mine]
        return None if more else same
    most = 2 if len(mine) >= _LONG else 1
    if len(mine) < (_SHORT - 1 if ends_kept else _SHORT):
        return None
    near = [(_slips(mine, other, most + 1), other) for other in folded]
    near = sorted(pair for pair in near if pair[0] <= most + 1)
    if not near or near[0][0] > most or (len(near) > 1 and near[1][0] == near[0][0]):
        return None
    if any(other.startswith(mine) and other != near[0][1] for other in folded):
        return None  # a name that was cut short, as likely
    found = near[0][1]
    if ends_kept and (len(found) < _SHORT or not _inside(mine, found)):
        return None
    (same, *more) = folded[found]
    alike = [c for c in mine if c.isdigit()] == [c for c in same if c.isdigit()]
    return same if alike and not more else None


_SHORT, _LONG = 4, 8


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


def _inside(one: str, other: str) -> bool:
    """Whether two words differ between their ends only, and by no syllable."""
    return one[0] == other[0] and one[-1] == other[-1] and abs(len(one) - len(other)) < 2


def _slips(one: str, other: str, most: int) -> int:
    """How many slips lead from one word to another; more than `most` is not counted out."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before = above
    return row[-1]
