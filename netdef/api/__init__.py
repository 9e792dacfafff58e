"""What the command line can do, as functions.

Knows the parts and puts them together. Has never heard of arguments, terminals or colours.

Names are loaded when first used, so that looking into a file does not pay for running nets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdef.api.checking import check
    from netdef.api.checks import gradcheck, lr_range, plot
    from netdef.api.classifying import classify
    from netdef.api.contents import inspect
    from netdef.api.conversion import convert
    from netdef.api.datasets import (
        dataset_arrays,
        dataset_cifar,
        dataset_csv,
        dataset_images,
        dataset_info,
        dataset_mean,
        dataset_mnist,
    )
    from netdef.api.deploying import deploy
    from netdef.api.diagnosing import diagnose
    from netdef.api.differences import diff
    from netdef.api.kinds import explain, layer_types
    from netdef.api.loading import compile_file, load, load_solver, make_state, pick_state
    from netdef.api.look import draw, params, summary
    from netdef.api.scores import test
    from netdef.api.solving import solver
    from netdef.api.state_lists import states
    from netdef.api.steps import plan
    from netdef.api.texts import fmt, upgrade
    from netdef.api.timing import time

__all__ = [
    "check",
    "classify",
    "compile_file",
    "convert",
    "dataset_arrays",
    "dataset_cifar",
    "dataset_csv",
    "dataset_images",
    "dataset_info",
    "dataset_mean",
    "dataset_mnist",
    "deploy",
    "diagnose",
    "diff",
    "draw",
    "explain",
    "fmt",
    "gradcheck",
    "inspect",
    "layer_types",
    "load",
    "load_solver",
    "lr_range",
    "make_state",
    "params",
    "pick_state",
    "plan",
    "plot",
    "solver",
    "states",
    "summary",
    "test",
    "time",
    "upgrade",
]

_HOMES = {
    "check": "checking",
    "classify": "classifying",
    "compile_file": "loading",
    "convert": "conversion",
    "dataset_arrays": "datasets",
    "dataset_cifar": "datasets",
    "dataset_csv": "datasets",
    "dataset_images": "datasets",
    "dataset_info": "datasets",
    "dataset_mean": "datasets",
    "dataset_mnist": "datasets",
    "deploy": "deploying",
    "diagnose": "diagnosing",
    "diff": "differences",
    "draw": "look",
    "explain": "kinds",
    "fmt": "texts",
    "gradcheck": "checks",
    "inspect": "contents",
    "layer_types": "kinds",
    "load": "loading",
    "load_solver": "loading",
    "lr_range": "checks",
    "make_state": "loading",
    "params": "look",
    "pick_state": "loading",
    "plan": "steps",
    "plot": "checks",
    "solver": "solving",
    "states": "state_lists",
    "summary": "look",
    "test": "scores",
    "time": "timing",
    "upgrade": "texts",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
