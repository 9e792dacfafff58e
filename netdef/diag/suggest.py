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
