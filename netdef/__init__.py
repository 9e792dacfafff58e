"""netdef: nets written as prototxt, compiled and run.

    >>> import netdef
    >>> net = netdef.load("models/siamese/deploy.prototxt")
    >>> print(netdef.draw(net))

Names are loaded when first used: `import netdef` itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdef import io, text
    from netdef.api import check, diagnose, draw, load, load_solver, params, summary
    from netdef.diag import NetdefError, Problem, Report
    from netdef.layers.user_code import Layer
    from netdef.run.net import Net
    from netdef.run.solver import Solver

__version__ = "0.1.0"

__all__ = [
    "Layer",
    "Net",
    "NetdefError",
    "Problem",
    "Report",
    "Solver",
    "__version__",
    "check",
    "diagnose",
    "draw",
    "io",
    "load",
    "load_solver",
    "params",
    "summary",
    "text",
]

_HOMES = {
    "Layer": "netdef.layers.user_code",
    "Net": "netdef.run.net",
    "NetdefError": "netdef.diag",
    "Problem": "netdef.diag",
    "Report": "netdef.diag",
    "Solver": "netdef.run.solver",
    "check": "netdef.api",
    "diagnose": "netdef.api",
    "draw": "netdef.api",
    "load": "netdef.api",
    "load_solver": "netdef.api",
    "params": "netdef.api",
    "summary": "netdef.api",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in ("io", "text"):
        return import_module(f"netdef.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
