"""How parameters move: update rules, one file each, rate policies, and the steps around them.

Knows formulas and flat arrays. Has never heard of nets, layers, files or iterations that display
something.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdef.solvers.base import Rule

_NOT_RULES = {"__init__", "base", "policies", "policy", "schedules", "settings", "update"}


@cache
def _modules() -> dict[str, str]:
    """File stem by type name in lower case without underscores."""
    stems = (
        f.name.removesuffix(".py") for f in files(__name__).iterdir() if f.name.endswith(".py")
    )
    return {stem.replace("_", ""): stem for stem in sorted(stems) if stem not in _NOT_RULES}


def find(type_name: str) -> type[Rule] | None:
    """The class of a rule by Caffe's name for it, None where netdef has none.

    Only the file of that rule is imported: `AdaGrad` is `adagrad.py`.
    """
    stem = _modules().get(type_name.lower())
    if stem is None:
        return None
    import_module(f"{__name__}.{stem}")
    from netdef.solvers.base import registered

    return registered().get(type_name)


def types() -> list[str]:
    """Names of all rules, in alphabetical order."""
    for stem in _modules().values():
        import_module(f"{__name__}.{stem}")
    from netdef.solvers.base import registered

    return sorted(registered())
