"""All layer types, one file each: settings, shapes, params, forward, backward, cost.

Knows arithmetic and shapes. Has never heard of nets, buffers, threads or files.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netdef.layers.base import Layer


@cache
def _modules() -> dict[str, str]:
    """File stem by type name in lower case without underscores: innerproduct -> inner_product."""
    names = sorted(f.name for f in files(__name__).iterdir())
    stems = [n.removesuffix(".py") for n in names if n.endswith(".py") and n[0] != "_"]
    return {stem.replace("_", ""): stem for stem in stems}


def find(type_name: str) -> type[Layer[Any]] | None:
    """The class of a layer type, None where netdef has none.

    Only the file of that type is imported: `InnerProduct` is `inner_product.py`.
    """
    stem = _modules().get(type_name.lower())
    if stem is None:
        return None
    import_module(f"{__name__}.{stem}")
    from netdef.layers.base import registered

    return registered().get(type_name)


def types() -> list[str]:
    """Names of all layer types, in alphabetical order."""
    for stem in _modules().values():
        import_module(f"{__name__}.{stem}")
    from netdef.layers.base import registered

    return sorted(registered())
